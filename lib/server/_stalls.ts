import type { Clock } from "../cache/mod.ts";
import { Deadlines } from "./_deadlines.ts";
import type { BlockedEvent, Observer } from "./events.ts";

/** Something that waits on a stream. */
interface Waiting {
  /** What was told of it last. */
  event: BlockedEvent;
  readonly since: number;
  /** How often it was looked at and found to go on. */
  looks: number;
  readonly observer: Observer;
}

/** Sees which changes of a server are blocked for long; with one timer for all of them. */
export class Stalls {
  readonly #clock: Clock;
  readonly #deadlines: Deadlines<Waiting> | undefined;

  /**
   * @param after milliseconds; with Infinity nothing is long
   * @throws {RangeError} if that is no time
   */
  constructor(clock: Clock, after: number) {
    if (!(after > 0)) {
      throw new RangeError(
        `stallAfter is ${after}: it takes milliseconds above 0, or Infinity`,
      );
    }
    this.#clock = clock;
    this.#deadlines = after === Infinity
      ? undefined
      : new Deadlines(clock, after, (one) => this.#late(one));
  }

  /** Those of one stream. */
  ofStream(observer: Observer): StreamStalls {
    return new StreamStalls(this.#clock, this.#deadlines, observer);
  }

  #late(one: Waiting) {
    this.#deadlines!.add(one);
    one.looks++;
    // After as long again as it has lasted, and so not for ever at the same rate.
    if ((one.looks & (one.looks - 1)) !== 0) return;
    const { event, since, observer } = one;
    // These end when their time is over.
    const { reason } = event;
    if (reason === "draining" || reason === "still_requested") return;
    const { stream, client, typeUrl } = event;
    const duration = this.#clock.now() - since;
    observer({ kind: "stall", stream, client, typeUrl, duration, event });
  }
}

/** What waits on one stream. */
export class StreamStalls implements Disposable {
  readonly #clock: Clock;
  readonly #deadlines: Deadlines<Waiting> | undefined;
  readonly #observer: Observer;
  /** By type; undefined until something waits. */
  #waiting: Map<string, Waiting> | undefined;

  constructor(
    clock: Clock,
    deadlines: Deadlines<Waiting> | undefined,
    observer: Observer,
  ) {
    this.#clock = clock;
    this.#deadlines = deadlines;
    this.#observer = observer;
  }

  /** Something begins to wait, or waits for something else. */
  begin(event: BlockedEvent) {
    const waiting = this.#waiting ??= new Map();
    const key = event.typeUrl;
    const known = waiting.get(key);
    if (known) {
      known.event = event;
      return;
    }
    const since = this.#clock.now();
    const one = { event, since, looks: 0, observer: this.#observer };
    waiting.set(key, one);
    this.#deadlines?.add(one);
  }

  /** What waited of a type does so no longer. */
  end(typeUrl: string) {
    const one = this.#waiting?.get(typeUrl);
    if (!one) return;
    this.#waiting!.delete(typeUrl);
    this.#deadlines?.delete(one);
    const { event, since } = one;
    const { stream, client } = event;
    const duration = this.#clock.now() - since;
    const about = { stream, client, typeUrl, duration, event };
    this.#observer({ kind: "unblocked", ...about });
  }

  [Symbol.dispose]() {
    for (const one of this.#waiting?.values() ?? []) {
      this.#deadlines?.delete(one);
    }
    this.#waiting = undefined;
  }
}
