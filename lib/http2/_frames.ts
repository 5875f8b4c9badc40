/** Frame types. */
export const DATA = 0x0;
export const HEADERS = 0x1;
export const PRIORITY = 0x2;
export const RST_STREAM = 0x3;
export const SETTINGS = 0x4;
export const PUSH_PROMISE = 0x5;
export const PING = 0x6;
export const GOAWAY = 0x7;
export const WINDOW_UPDATE = 0x8;
export const CONTINUATION = 0x9;

/** Flags. ACK is of SETTINGS and PING, where no stream can end. */
export const END_STREAM = 0x1;
export const ACK = 0x1;
export const END_HEADERS = 0x4;
export const PADDED = 0x8;
export const WITH_PRIORITY = 0x20;

/** Bytes before a frame's payload. */
export const HEAD_BYTES = 9;

/** The largest payload that is taken: what the protocol has all begin with. */
export const MAX_PAYLOAD = 16_384;

/** What a client's side of a connection begins with. */
export const PREFACE: Uint8Array = new TextEncoder().encode(
  "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
);

/** Writes what stands before a payload. Returns where the payload begins. */
export function putHead(
  into: Uint8Array,
  at: number,
  size: number,
  type: number,
  flags: number,
  streamId: number,
): number {
  into[at] = size >>> 16;
  into[at + 1] = size >>> 8;
  into[at + 2] = size;
  into[at + 3] = type;
  into[at + 4] = flags;
  return putUint32(into, at + 5, streamId);
}

/** Writes four bytes. Returns where the next go. */
export function putUint32(into: Uint8Array, at: number, value: number): number {
  into[at] = value >>> 24;
  into[at + 1] = value >>> 16;
  into[at + 2] = value >>> 8;
  into[at + 3] = value;
  return at + 4;
}

/** Reads four bytes. */
export function uint32(bytes: Uint8Array, at: number): number {
  return (bytes[at] << 24 | bytes[at + 1] << 16 | bytes[at + 2] << 8 |
    bytes[at + 3]) >>> 0;
}

/** Reads four bytes but for their first bit, which is reserved. */
export function uint31(bytes: Uint8Array, at: number): number {
  return uint32(bytes, at) & 0x7fff_ffff;
}
