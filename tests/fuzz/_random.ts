/** Numbers that look random, and are the same for a seed. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0 || 1;
  }

  /** A whole number below a bound. */
  below(bound: number): number {
    // Mulberry32.
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ t >>> 15, t | 1);
    t ^= t + Math.imul(t ^ t >>> 7, t | 61);
    return Math.floor(((t ^ t >>> 14) >>> 0) / 2 ** 32 * bound);
  }

  /** One of several. */
  of<T>(items: readonly T[]): T {
    return items[this.below(items.length)];
  }

  /** Whether, once in so many times. */
  once(times: number): boolean {
    return this.below(times) === 0;
  }
}
