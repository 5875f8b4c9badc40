import type { ErrorCode } from "./errors.ts";
import type { HeaderBlock } from "./header_block.ts";

/** What is done with a stream; it is called by the connection, within what the connection is told. */
export interface StreamHandler {
  /**
   * A part of the body came: the bytes from `start` to `end`, which are not to be kept. What was made use of is to be
   * given to {@linkcode Stream.consume}, or no more will come.
   */
  data(bytes: Uint8Array, start: number, end: number): void;
  /** The body is complete. */
  end(): void;
  /** The client had its time to begin elsewhere what this stream does: it is to end, if it would not by itself. */
  expire?(): void;
  /**
   * The next part of the response, when the client can take some of it; its bytes must not change any more. Undefined if
   * there is none now: {@linkcode Stream.wake} says that there may be, {@linkcode Stream.finish} that there will not.
   */
  pull(): Uint8Array | undefined;
  /**
   * The stream is over, for good. It says why: a code that the client or the connection reset it with; undefined if the
   * response went out whole, or was reset by {@linkcode Stream.reset}.
   */
  close(code: ErrorCode | undefined): void;
}

/** A stream: a request, and the response to it. */
export interface Stream {
  /** Its number in the connection. */
  readonly id: number;
  /** Whether it is over. */
  readonly isClosed: boolean;
  /** What is done with it; to be set when it is opened. */
  handler: StreamHandler;
  /** Sends the response's fields, `:status` first. */
  respond(block: HeaderBlock): void;
  /** Says that there may be something to {@linkcode StreamHandler.pull}. */
  wake(): void;
  /** Ends the response once all that can be pulled was sent, with trailers if they are given. */
  finish(trailers?: HeaderBlock): void;
  /** Drops what is left of the part of the response that is being sent. */
  drop(): void;
  /** Ends the stream at once. */
  reset(code: ErrorCode): void;
  /** Says that so many bytes of the body were made use of. */
  consume(size: number): void;
}
