/** Error codes of HTTP/2, by their names in RFC 9113. */
export const ErrorCode = {
  NoError: 0x0,
  ProtocolError: 0x1,
  InternalError: 0x2,
  FlowControlError: 0x3,
  SettingsTimeout: 0x4,
  StreamClosed: 0x5,
  FrameSizeError: 0x6,
  RefusedStream: 0x7,
  Cancel: 0x8,
  CompressionError: 0x9,
  ConnectError: 0xa,
  EnhanceYourCalm: 0xb,
  InadequateSecurity: 0xc,
  Http11Required: 0xd,
} as const;

/** An error code of HTTP/2. A peer may send others, which mean no more than `InternalError` does. */
export type ErrorCode = number;

/** What a peer did that ends its connection; the message goes to it as GOAWAY's debug data. */
export class ConnectionError extends Error {
  /** The kind of error. */
  override readonly name = "ConnectionError";
  /** What GOAWAY says. */
  readonly code: ErrorCode;

  /** An error that ends a connection. */
  constructor(code: ErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** That a peer does not keep to the protocol. */
export function protocolError(message: string): ConnectionError {
  return new ConnectionError(ErrorCode.ProtocolError, message);
}
