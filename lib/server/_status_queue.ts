import { Code, ConnectError } from "@connectrpc/connect";
import { afterOthers } from "./_rotation.ts";

/** Requests that may wait. */
const MAX_WAITING = 16;

/** Does one thing after the other. */
export class Queue {
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /**
   * Does something once all that came before is done.
   *
   * @throws {ConnectError} if too much waits
   */
  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#waiting >= MAX_WAITING) {
      throw new ConnectError(
        `${MAX_WAITING} requests for the status of clients wait; ask again later`,
        Code.ResourceExhausted,
      );
    }
    this.#waiting++;
    const before = this.#last;
    const done = before.then(task);
    this.#last = done.catch(() => {});
    try {
      return await done;
    } finally {
      this.#waiting--;
    }
  }
}

/** Says when something that takes long is to leave time for others. */
export class Pause {
  readonly #slice: number;
  #until: number;

  /** @param slice milliseconds that may be taken at a time */
  constructor(slice: number) {
    this.#slice = slice;
    this.#until = performance.now() + slice;
  }

  /** Whether the time is over. */
  get isDue(): boolean {
    return performance.now() >= this.#until;
  }

  /** Leaves time for others. */
  async wait() {
    await new Promise<void>((go) => afterOthers(go));
    this.#until = performance.now() + this.#slice;
  }
}
