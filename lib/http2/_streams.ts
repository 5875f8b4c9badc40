import type { OpenStream } from "./_open_stream.ts";

/** Streams that are over, of which it is known how they ended. Frames of others are long under way. */
const REMEMBERED = 128;

/** The streams of a connection: those that are open, and how those ended that were not long ago. */
export class Streams {
  /** Those that are open. */
  readonly open = new Map<number, OpenStream>();
  /** The last that was begun. */
  last = 0;
  /** Those that are over, the oldest first from `#oldest` on; negative where the client cannot have known yet. */
  readonly #over: number[] = [];
  #oldest = 0;

  /** Takes a stream for over; `isKnown` says whether the client had a part in that. */
  close(stream: OpenStream, isKnown: boolean) {
    stream.isClosed = true;
    stream.part = undefined;
    this.open.delete(stream.id);
    this.forget(stream.id, isKnown);
  }

  /** Takes a stream for over that never was open. */
  forget(id: number, isKnown: boolean) {
    const over = isKnown ? id : -id;
    if (this.#over.length < REMEMBERED) this.#over.push(over);
    else {
      this.#over[this.#oldest] = over;
      this.#oldest = (this.#oldest + 1) % REMEMBERED;
    }
  }

  /** The client has a part in the end of a stream now, though it was ended from here. */
  settle(id: number) {
    const at = this.#over.indexOf(-id);
    if (at >= 0) this.#over[at] = id;
  }

  /** Whether a stream was never begun. */
  isIdle(id: number): boolean {
    return id % 2 === 0 || id > this.last;
  }

  /** Whether it was ended from here, so that frames of it may have been sent before the client knew. */
  wasCut(id: number): boolean {
    return this.#over.includes(-id);
  }

  /** Whether it was ended by both sides, or by the client. */
  wasEnded(id: number): boolean {
    return this.#over.includes(id);
  }
}
