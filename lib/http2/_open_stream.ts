import type { ErrorCode } from "./errors.ts";
import type { HeaderBlock } from "./header_block.ts";
import type { Stream, StreamHandler } from "./stream.ts";

/** What a stream needs of its connection. */
export interface StreamHost {
  respond(stream: OpenStream, block: HeaderBlock): void;
  wake(stream: OpenStream): void;
  reset(stream: OpenStream, code: ErrorCode): void;
  consume(stream: OpenStream, size: number): void;
}

/** Ends a response without trailers. */
export const NO_TRAILERS: HeaderBlock = new Uint8Array();

const nobody: StreamHandler = {
  data() {},
  end() {},
  pull: () => undefined,
  close() {},
};

/** A stream that is open, with all that its connection knows of it. */
export class OpenStream implements Stream {
  readonly id: number;
  handler: StreamHandler = nobody;
  isClosed = false;
  readonly #host: StreamHost;

  /** Bytes of body that may be sent; less than none if the client made its windows smaller meanwhile. */
  window: number;
  /** What is being sent, and how far it was. */
  part: Uint8Array | undefined;
  offset = 0;
  /** What the response ends with, once it is to. */
  trailers: HeaderBlock | undefined;
  /** Whether it is among those that are to be written to, and the one that comes after it. */
  isQueued = false;
  next: OpenStream | undefined;
  /** Whether it waits for its own window. */
  isBlocked = false;
  /** Whether it waits for the window of all streams together. */
  isStarved = false;

  /** Bytes of body that may come. */
  room: number;
  /** Bytes that came and were not made use of, and those that were and are yet to be given back. */
  unread = 0;
  owed = 0;
  /** Bytes that are still to come by `content-length`; -1 if it does not say. */
  expected: number;
  /** Whether the client's side has ended. */
  isRead = false;

  constructor(
    id: number,
    host: StreamHost,
    window: number,
    room: number,
    expected: number | undefined,
  ) {
    this.id = id;
    this.#host = host;
    this.window = window;
    this.room = room;
    this.expected = expected ?? -1;
  }

  /** It is over: what was done with it is told, and not kept by what still knows the stream. */
  close(code: ErrorCode | undefined) {
    const { handler } = this;
    this.handler = nobody;
    handler.close(code);
  }

  respond(block: HeaderBlock) {
    if (!this.isClosed) this.#host.respond(this, block);
  }

  wake() {
    if (!this.isClosed && !this.isQueued) this.#host.wake(this);
  }

  finish(trailers: HeaderBlock = NO_TRAILERS) {
    if (this.isClosed) return;
    this.trailers ??= trailers;
    // Trailers need no window; what is left of the body is held back by it again.
    this.isBlocked = false;
    this.wake();
  }

  drop() {
    this.part = undefined;
  }

  reset(code: ErrorCode) {
    if (!this.isClosed) this.#host.reset(this, code);
  }

  consume(size: number) {
    this.#host.consume(this, size);
  }
}
