import type { Clock } from "../cache/mod.ts";

/** How often something may be done: so many times a second, and, after a rest, a burst of them at once. */
export interface Rate {
  readonly clock: Clock;
  readonly perSecond: number;
  readonly burst: number;
}

/** What is left of a token where counting in fractions has lost a bit of it. */
const ROUNDING = 1e-6;

/** A token bucket: full at first. */
export class Bucket {
  readonly #rate: Rate;
  #tokens: number;
  #at: number;

  constructor(rate: Rate) {
    this.#rate = rate;
    this.#tokens = rate.burst;
    this.#at = rate.clock.now();
  }

  /** Takes a token; false if there is none. */
  take(): boolean {
    this.#fill();
    if (this.#tokens < 1 - ROUNDING) return false;
    this.#tokens--;
    return true;
  }

  /** Milliseconds until there is a token. */
  get wait(): number {
    this.#fill();
    return Math.max(0, 1 - this.#tokens) * 1_000 / this.#rate.perSecond;
  }

  #fill() {
    const { clock, perSecond, burst } = this.#rate;
    const now = clock.now();
    const more = Math.max(0, now - this.#at) * perSecond / 1_000;
    this.#tokens = Math.min(burst, this.#tokens + more);
    this.#at = now;
  }
}
