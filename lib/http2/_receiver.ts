import type { OpenStream } from "./_open_stream.ts";
import type { Sender } from "./_sender.ts";
import { ConnectionError, ErrorCode } from "./errors.ts";

/** Bytes of body that may come on a stream: what the protocol has all begin with. */
export const STREAM_WINDOW = 65_535;

/** Bytes of body that may come on all streams together. */
const WINDOW = 1024 * 1024;

/** Keeps the windows that a client sends within, and opens them anew as what came is made use of. */
export class Receiver {
  readonly #sender: Sender;
  #room = WINDOW;
  /** Bytes that were made use of and are yet to be given back. */
  #owed = 0;

  constructor(sender: Sender) {
    this.#sender = sender;
  }

  /** Opens the window of all streams together beyond what the protocol begins with. */
  open() {
    this.#sender.windowUpdate(0, WINDOW - STREAM_WINDOW);
  }

  /**
   * Takes the payload of DATA for all streams together.
   *
   * @throws {ConnectionError} if it is more than was allowed
   */
  take(size: number) {
    this.#room -= size;
    if (this.#room < 0) {
      throw new ConnectionError(
        ErrorCode.FlowControlError,
        "DATA is beyond the connection's window",
      );
    }
  }

  /** Takes it for its stream, with what of it is body; false if it is more than was allowed. */
  takeFor(stream: OpenStream, size: number, body: number): boolean {
    stream.room -= size;
    // What is not given back on the stream is so once that is closed.
    stream.unread += size;
    if (stream.room < 0) return false;
    if (size > body) this.consume(stream, size - body);
    return true;
  }

  /** Gives back bytes that were made use of. */
  consume(stream: OpenStream, size: number) {
    if (stream.isClosed) return;
    const given = Math.min(size, stream.unread);
    stream.unread -= given;
    this.giveBack(given);
    stream.owed += given;
    // A window is opened anew when half of it is used, so that few frames say so.
    if (stream.owed * 2 >= STREAM_WINDOW && !stream.isRead) {
      this.#sender.windowUpdate(stream.id, stream.owed);
      stream.room += stream.owed;
      stream.owed = 0;
    }
  }

  /** Gives back what is left of a stream that is over. */
  close(stream: OpenStream) {
    this.giveBack(stream.unread);
    stream.unread = 0;
  }

  /** Gives back bytes that no stream needs. */
  giveBack(size: number) {
    this.#owed += size;
    if (this.#owed * 2 < WINDOW) return;
    this.#sender.windowUpdate(0, this.#owed);
    this.#room += this.#owed;
    this.#owed = 0;
  }
}
