import type { Clock } from "../cache/mod.ts";
import { Bucket } from "./_rate.ts";

/** Milliseconds of admissions that may come at once, after a rest or when the process was busy. */
const AT_ONCE = 20;

/**
 * Lets in no more than so many a second, in the order in which they come: all get in, whoever comes later. One timer
 * serves all who wait.
 */
export class Admissions {
  readonly perSecond: number;
  /** How many may wait. */
  readonly most: number;
  readonly #clock: Clock;
  readonly #bucket: Bucket;
  readonly #waiting = new Set<() => void>();
  #timer: Disposable | undefined;

  /** @param most how many may wait */
  constructor(clock: Clock, perSecond: number, most: number) {
    this.perSecond = perSecond;
    this.most = most;
    this.#clock = clock;
    const burst = Math.max(1, perSecond * AT_ONCE / 1_000);
    this.#bucket = new Bucket({ clock, perSecond, burst });
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Lets one in now, if nobody waits and it is not too soon; otherwise false. */
  enter(): boolean {
    return this.#waiting.size === 0 && this.#bucket.take();
  }

  /** Calls one when it is its turn. Disposing of what is returned gives the place up. */
  wait(admit: () => void): Disposable {
    this.#waiting.add(admit);
    this.#timer ??= this.#clock.after(this.#bucket.wait, this.#run);
    return {
      [Symbol.dispose]: () => {
        this.#waiting.delete(admit);
        if (this.#waiting.size > 0) return;
        this.#timer?.[Symbol.dispose]();
        this.#timer = undefined;
      },
    };
  }

  #run = () => {
    this.#timer = undefined;
    for (const admit of this.#waiting) {
      if (!this.#bucket.take()) {
        this.#timer = this.#clock.after(this.#bucket.wait, this.#run);
        return;
      }
      this.#waiting.delete(admit);
      admit();
    }
  };
}
