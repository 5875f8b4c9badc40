/** A token bucket: full at first, and filled again by time. It has no clock; times are in milliseconds. */
export class TokenBucket {
  readonly #most: number;
  readonly #perSecond: number;
  #left: number;
  #at = -Infinity;

  constructor(most: number, perSecond: number) {
    this.#most = most;
    this.#perSecond = perSecond;
    this.#left = most;
  }

  /** Takes a token; false if there is none left. */
  take(now: number): boolean {
    if (this.#left < 1) this.#fill(now);
    if (this.#left < 1) return false;
    if (this.#at === -Infinity) this.#at = now;
    this.#left--;
    return true;
  }

  /** Whether none is missing, so that it is as good as a new one. */
  isFull(now: number): boolean {
    this.#fill(now);
    return this.#left >= this.#most;
  }

  #fill(now: number) {
    if (this.#at === -Infinity) return;
    const gained = (now - this.#at) / 1_000 * this.#perSecond;
    this.#left = Math.min(this.#most, this.#left + Math.max(0, gained));
    this.#at = now;
  }
}
