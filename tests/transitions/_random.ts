/** A random sequence that is the same for the same seed and round (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number, round: number) {
    this.#state = Math.imul(seed, 0x9e3779b1) ^ Math.imul(round, 0x85ebca6b);
    this.#next();
  }

  #next(): number {
    this.#state = this.#state + 0x6d2b79f5 | 0;
    let mixed = Math.imul(this.#state ^ this.#state >>> 15, 1 | this.#state);
    mixed = mixed + Math.imul(mixed ^ mixed >>> 7, 61 | mixed) ^ mixed;
    return ((mixed ^ mixed >>> 14) >>> 0) / 2 ** 32;
  }

  /** A whole number from 0, below the limit. */
  below(limit: number): number {
    return Math.floor(this.#next() * limit);
  }

  /** True with this probability. */
  chance(probability: number): boolean {
    return this.#next() < probability;
  }

  /** One of them. */
  pick<T>(all: readonly T[]): T {
    return all[this.below(all.length)];
  }
}
