import type { Clock } from "./clock.ts";
import type { View } from "./view.ts";

/** Deviation from the interval, so that not all of many caches beat at once. */
const JITTER = 0.1;

/** Beats as long as there is something with a TTL to keep alive. */
export class Heartbeat {
  readonly #clock: Clock;
  readonly #given: number | undefined;
  readonly #beat: () => Iterable<View>;
  #timer: Disposable | undefined;
  #interval = Infinity;

  /** @param beat refreshes what has a TTL, and returns the views that are watched from then on */
  constructor(
    clock: Clock,
    interval: number | undefined,
    beat: () => Iterable<View>,
  ) {
    this.#clock = clock;
    this.#given = interval;
    this.#beat = beat;
  }

  /** Sees to it that what has a TTL in these views is refreshed in time. */
  expect(views: Iterable<View>) {
    const ttl = shortestTtl(views);
    if (ttl === Infinity) return;
    const interval = this.#given ?? ttl / 3;
    if (interval >= this.#interval) return;
    this.#timer?.[Symbol.dispose]();
    this.#interval = interval;
    const delay = interval * (1 + JITTER * (2 * Math.random() - 1));
    this.#timer = this.#clock.after(delay, () => {
      this.#interval = Infinity;
      this.#timer = undefined;
      this.expect(this.#beat());
    });
  }

  /** Beats no more. */
  stop() {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    this.#interval = Infinity;
  }
}

function shortestTtl(views: Iterable<View>): number {
  let shortest = Infinity;
  for (const view of views) {
    for (const { ttl = Infinity } of view.expiring) {
      shortest = Math.min(shortest, ttl);
    }
  }
  return shortest;
}
