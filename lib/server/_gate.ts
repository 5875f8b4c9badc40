import type { StreamRequest } from "../protocol/mod.ts";

/** Requests, and bytes in them, that may wait at a gate. More than any client has reason to send at once. */
const MAX_WAITING = 256;
const MAX_WAITING_BYTES = 4 * 1024 * 1024;

/** Keeps a stream's requests in their order while it waits for something that comes before them. */
export class Gate {
  #waitsFor: string | undefined;
  #bytes = 0;
  readonly #waiting: { request: StreamRequest; bytes: number }[] = [];

  /** What is waited for, in words, so that a request that comes has to wait; undefined if nothing is. */
  get waitsFor(): string | undefined {
    return this.#waitsFor;
  }

  /** How many requests wait. */
  get size(): number {
    return this.#waiting.length;
  }

  /** Lets a request wait; false if too much does already. */
  hold(request: StreamRequest, bytes: number): boolean {
    const { size } = this;
    if (size >= MAX_WAITING) return false;
    if (size > 0 && this.#bytes + bytes > MAX_WAITING_BYTES) return false;
    this.#waiting.push({ request, bytes });
    this.#bytes += bytes;
    return true;
  }

  /** Shuts until something is there. If it comes, `goOn` comes before what waits, which may shut it again. */
  shut(
    what: string,
    there: Promise<void>,
    goOn: () => void,
    pass: (request: StreamRequest, bytes: number) => void,
    refuse: (refusal: unknown) => void,
  ) {
    this.#waitsFor = what;
    there.then(() => {
      this.#waitsFor = undefined;
      goOn();
      while (this.#waitsFor === undefined) {
        const next = this.#waiting.shift();
        if (!next) break;
        this.#bytes -= next.bytes;
        pass(next.request, next.bytes);
      }
    }, refuse);
  }

  /** Forgets what waits. */
  clear() {
    this.#waiting.length = 0;
    this.#bytes = 0;
  }
}
