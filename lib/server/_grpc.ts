import { Code, ConnectError } from "@connectrpc/connect";

const PREFIX = 5;
const COMPRESSED = 1;

/**
 * Cuts a stream of bytes into gRPC messages.
 *
 * @throws {ConnectError} for a message that is compressed, or larger than `maxBytes`
 * @see https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
 */
export class MessageReader {
  readonly #maxBytes: number;
  #rest: Uint8Array = new Uint8Array();

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The messages that are complete with another chunk. */
  *read(chunk: Uint8Array): Generator<Uint8Array> {
    let bytes = this.#rest.length === 0 ? chunk : concat(this.#rest, chunk);
    while (bytes.length >= PREFIX) {
      if (bytes[0] === COMPRESSED) {
        throw new ConnectError(
          "compressed messages are not supported: send them with grpc-encoding: identity",
          Code.Unimplemented,
        );
      }
      const size = new DataView(bytes.buffer, bytes.byteOffset).getUint32(1);
      if (size > this.#maxBytes) {
        const message =
          `a request of ${size} bytes is larger than the ${this.#maxBytes} that are allowed`;
        throw new ConnectError(message, Code.ResourceExhausted);
      }
      if (bytes.length < PREFIX + size) break;
      yield bytes.subarray(PREFIX, PREFIX + size);
      bytes = bytes.subarray(PREFIX + size);
    }
    this.#rest = bytes;
  }
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}

/**
 * Sets the trailers that say how a call ended. Only what has to be percent-encoded is: some clients undo no more.
 *
 * @see https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#responses
 */
export function setStatus(trailer: Headers, error: ConnectError | undefined) {
  trailer.set("Grpc-Status", String(error?.code ?? 0));
  if (error) {
    trailer.set(
      "Grpc-Message",
      error.rawMessage.toWellFormed().replace(
        /[^\x20-\x24\x26-\x7e]+/g,
        encodeURIComponent,
      ),
    );
  }
}
