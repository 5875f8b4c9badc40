import type { Resource } from "../resource/mod.ts";
import type { Clock } from "./clock.ts";
import { shortestTtl, type View } from "./view.ts";

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
    let shortest = Infinity;
    for (const view of views) shortest = Math.min(shortest, view.shortestTtl);
    this.#expect(shortest);
  }

  /** Sees to it that these are refreshed in time, which are new among what was expected already. */
  expectToo(resources: Iterable<Resource>) {
    this.#expect(shortestTtl(resources));
  }

  #expect(ttl: number) {
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
