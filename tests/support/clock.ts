import type { Clock } from "../../mod.ts";

/** A clock that goes when it is told to. */
export class FakeClock implements Clock {
  #now: number;
  #timers = new Set<{ at: number; callback: () => void }>();

  /** @param now milliseconds since 1970 */
  constructor(now = 0) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  after(delay: number, callback: () => void): Disposable {
    const timer = { at: this.#now + delay, callback };
    this.#timers.add(timer);
    return { [Symbol.dispose]: () => this.#timers.delete(timer) };
  }

  /** How many timers are set. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Lets some milliseconds pass, and calls back whoever waited for that. */
  advance(ms: number) {
    const end = this.#now + ms;
    while (true) {
      const [next] = [...this.#timers].filter(({ at }) => at <= end)
        .sort((a, b) => a.at - b.at);
      if (!next) break;
      this.#timers.delete(next);
      this.#now = next.at;
      next.callback();
    }
    this.#now = end;
  }

  /**
   * Sets the time while it goes, as a machine's is; what is late is called back, once. What waits for a time has waited long
   * enough when that is over, and is not put off by a clock that is set back.
   */
  set(to: number) {
    const back = Math.max(0, this.#now - to);
    this.#now = to;
    for (const timer of [...this.#timers]) {
      timer.at -= back;
      if (timer.at > to) continue;
      this.#timers.delete(timer);
      timer.callback();
    }
  }
}
