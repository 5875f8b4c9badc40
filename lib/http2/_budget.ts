/** An allowance that time, and what else is said to, fills up again. */
export class Budget {
  readonly #most: number;
  readonly #perSecond: number;
  #left: number;
  #at = -Infinity;

  constructor(most: number, perSecond: number) {
    this.#most = most;
    this.#perSecond = perSecond;
    this.#left = most;
  }

  /** Takes one, at a time in milliseconds; false if there is none left. */
  spend(now: number): boolean {
    if (this.#left < 1) {
      const gained = (now - this.#at) / 1_000 * this.#perSecond;
      this.#left = Math.min(this.#most, this.#left + Math.max(0, gained));
      this.#at = now;
      if (this.#left < 1) return false;
    }
    if (this.#at === -Infinity) this.#at = now;
    this.#left--;
    return true;
  }

  /** Adds to it. */
  gain(count: number) {
    this.#left = Math.min(this.#most, this.#left + count);
  }
}
