import type { Clock } from "../cache/mod.ts";
import { Deadlines } from "./_deadlines.ts";
import type { HoldEvent, Observer, WaitEvent } from "./events.ts";

/** Something that waits on a stream. */
interface Waiting {
  /** What was told of it last. */
  event: HoldEvent | WaitEvent;
  readonly since: number;
  /** How often it was looked at and found to go on. */
  looks: number;
  readonly observer: Observer;
}

/** Sees which of the holds and waits of a server go on for long; with one timer for all of them. */
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
    // Of a drain it was said how long it takes.
    if (event.kind === "wait" && event.waitingFor.length === 0) return;
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
  /** By type, and by what it is that waits; undefined until something does. */
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
  begin(event: HoldEvent | WaitEvent) {
    const waiting = this.#waiting ??= new Map();
    const key = `${event.kind} ${event.typeUrl}`;
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
  end(kind: "hold" | "wait", typeUrl: string) {
    const key = `${kind} ${typeUrl}`;
    const one = this.#waiting?.get(key);
    if (!one) return;
    this.#waiting!.delete(key);
    this.#deadlines?.delete(one);
    const { event, since } = one;
    const { stream, client } = event;
    const duration = this.#clock.now() - since;
    const about = { stream, client, typeUrl, duration, event };
    this.#observer({ kind: "resume", ...about });
  }

  /** What was held is held no longer, whatever its type: the client is another. */
  endHolds() {
    for (const { event } of [...this.#waiting?.values() ?? []]) {
      if (event.kind === "hold") this.end("hold", event.typeUrl);
    }
  }

  [Symbol.dispose]() {
    for (const one of this.#waiting?.values() ?? []) {
      this.#deadlines?.delete(one);
    }
    this.#waiting = undefined;
  }
}
