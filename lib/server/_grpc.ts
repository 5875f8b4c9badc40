import { Code, ConnectError } from "@connectrpc/connect";
import { clipped, LimitError } from "./_status.ts";

const PREFIX = 5;
const COMPRESSED = 1;

/**
 * Cuts a stream of bytes into gRPC messages.
 *
 * @see https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
 */
export class MessageReader {
  readonly #maxBytes: number;
  readonly #take: (message: Uint8Array) => void;
  #parts: Uint8Array[] = [];
  #size = 0;

  /** @param take is called with each message; it is not to keep it */
  constructor(maxBytes: number, take: (message: Uint8Array) => void) {
    this.#maxBytes = maxBytes;
    this.#take = take;
  }

  /**
   * Takes a chunk, and passes on the messages that are complete with it.
   *
   * @throws {ConnectError} for a message that is compressed, or larger than is allowed
   */
  read(chunk: Uint8Array) {
    this.#parts.push(chunk);
    this.#size += chunk.length;
    while (this.#size >= PREFIX) {
      const head = this.#join(PREFIX);
      if (head[0] === COMPRESSED) {
        const message =
          "compressed messages are not supported: send them with grpc-encoding: identity";
        throw new ConnectError(message, Code.Unimplemented);
      }
      const size = new DataView(head.buffer, head.byteOffset).getUint32(1);
      if (size > this.#maxBytes) {
        const message =
          `a request of ${size} bytes is larger than the ${this.#maxBytes} that are allowed`;
        throw new LimitError("messageBytes", this.#maxBytes, message);
      }
      const end = PREFIX + size;
      if (this.#size < end) return;
      const bytes = this.#join(end);
      this.#parts = bytes.length > end ? [bytes.subarray(end)] : [];
      this.#size -= end;
      this.#take(bytes.subarray(PREFIX, end));
    }
  }

  /** The first part, made to hold at least `size` bytes: chunks are joined when they are needed, not as they come. */
  #join(size: number): Uint8Array {
    if (this.#parts[0].length >= size) return this.#parts[0];
    const joined = new Uint8Array(this.#size);
    let at = 0;
    for (const part of this.#parts) {
      joined.set(part, at);
      at += part.length;
    }
    this.#parts = [joined];
    return joined;
  }
}

/** Length of a status message, beyond which it is cut: clients take no more than some KiB of trailers, names included. */
const MAX_MESSAGE = 1_000;

/**
 * Sets the trailers that say how a call ended. Only what has to be percent-encoded is: some clients undo no more.
 *
 * @see https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#responses
 */
export function setStatus(
  ended: Error | null | undefined,
  set: (name: string, value: string) => void,
) {
  const error = ended ? ConnectError.from(ended) : undefined;
  set("grpc-status", String(error?.code ?? 0));
  if (!error) return;
  set("grpc-message", encodeMessage(error.rawMessage));
}

/** A status message as it goes into a trailer. */
export function encodeMessage(message: string): string {
  return clipped(message, MAX_MESSAGE).toWellFormed()
    .replace(/[^\x20-\x24\x26-\x7e]+/g, encodeURIComponent);
}
