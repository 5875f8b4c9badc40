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
  readonly #take: (message: Uint8Array) => boolean;
  /** What there is of a message that is not complete. */
  #part: Uint8Array | undefined;
  #held = 0;

  /** @param take is called with each message; it is not to keep it. It returns whether to stop after it. */
  constructor(
    maxBytes: number,
    take: (message: Uint8Array) => boolean,
  ) {
    this.#maxBytes = maxBytes;
    this.#take = take;
  }

  /** Bytes that are held of a message that is not complete. */
  get held(): number {
    return this.#part?.length ?? 0;
  }

  /** Forgets the message that is not complete. */
  drop() {
    this.#part = undefined;
    this.#held = 0;
  }

  /**
   * Takes a chunk, and passes on the messages that are complete with it; those that are whole in it as they lie there.
   * Returns how far it was taken: not to its end if there was reason to stop before.
   *
   * @throws {ConnectError} for a message that is compressed, or larger than is allowed
   */
  read(chunk: Uint8Array, start = 0, end: number = chunk.length): number {
    let at = start;
    while (at < end) {
      if (this.#part) {
        at = this.#fill(chunk, at, end);
        const whole = this.#whole();
        if (whole && this.#take(whole)) return at;
        continue;
      }
      if (end - at < PREFIX) {
        this.#hold(chunk, at, end, PREFIX);
        return end;
      }
      const first = at + PREFIX;
      const next = first + this.#size(chunk, at);
      if (next > end) {
        this.#hold(chunk, at, end, end - at);
        return end;
      }
      at = next;
      if (this.#take(chunk.subarray(first, next))) return at;
    }
    return at;
  }

  /** Adds to a message that has begun, as much as it lacks at most. Returns how far the chunk was taken. */
  #fill(chunk: Uint8Array, at: number, end: number): number {
    const needed = this.#held < PREFIX
      ? PREFIX
      : PREFIX + this.#size(this.#part!, 0);
    const more = Math.min(needed - this.#held, end - at);
    this.#grow(this.#held + more, needed);
    this.#part!.set(chunk.subarray(at, at + more), this.#held);
    this.#held += more;
    return at + more;
  }

  /** The message that is held, if it is complete; it is not held any longer. */
  #whole(): Uint8Array | undefined {
    const part = this.#part!;
    if (this.#held < PREFIX || this.#held < PREFIX + this.#size(part, 0)) {
      return undefined;
    }
    const message = part.subarray(PREFIX, this.#held);
    this.#part = undefined;
    this.#held = 0;
    return message;
  }

  #hold(chunk: Uint8Array, at: number, end: number, room: number) {
    this.#part = new Uint8Array(room);
    this.#part.set(chunk.subarray(at, end));
    this.#held = end - at;
  }

  /** Makes room as it is needed, and not for all that a client announces. */
  #grow(size: number, most: number) {
    if (this.#part!.length >= size) return;
    const larger = new Uint8Array(
      Math.min(most, Math.max(size, 1_024, 2 * this.#held)),
    );
    larger.set(this.#part!.subarray(0, this.#held));
    this.#part = larger;
  }

  /** The size of the message that begins there. */
  #size(bytes: Uint8Array, at: number): number {
    if (bytes[at] === COMPRESSED) {
      const message =
        "compressed messages are not supported: send them with grpc-encoding: identity";
      throw new ConnectError(message, Code.Unimplemented);
    }
    if (bytes[at] !== 0) {
      const message = `a message begins with ${
        bytes[at]
      }, and may with 0 (not compressed)`;
      throw new ConnectError(message, Code.Internal);
    }
    const size = (bytes[at + 1] << 24 | bytes[at + 2] << 16 |
      bytes[at + 3] << 8 | bytes[at + 4]) >>> 0;
    if (size > this.#maxBytes) {
      const message =
        `a request of ${size} bytes is larger than the ${this.#maxBytes} that are allowed`;
      throw new LimitError("messageBytes", this.#maxBytes, message);
    }
    return size;
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
