import {
  type Blocked,
  type Cache,
  type Client,
  type Clock,
  type ResourceState,
  type Subscription,
  systemClock,
  type Watch,
} from "../cache/mod.ts";
import type { StreamEvent } from "../protocol/mod.ts";

/** The stream that watches are for. */
export interface WatchingStream {
  /** Why it ended; undefined if it has not. Nothing is passed on to it once it has. */
  readonly ended: Error | null | undefined;
  /** Takes what a cache has said. */
  step(event: StreamEvent): void;
  /** Takes that no cache serves a type. */
  unserved(client: Client, typeUrl: string): void;
  /** Where the client stands with a resource. */
  stateOf(typeUrl: string, name: string): ResourceState;
  /** What of a type waits, and for what. */
  blockedOf(typeUrl: string): Blocked | undefined;
  /** Calls a cache, so that what it throws concerns this stream alone. */
  guard(call: () => void): void;
}

/** What one stream watches in the cache, by type. */
export class Watches implements Disposable {
  readonly #cache: Cache;
  readonly #stream: WatchingStream;
  readonly #watches = new Map<string, Watch>();
  readonly #timers = new Map<string, Disposable>();
  readonly #subscriptions = new Map<string, Subscription>();
  #clock: Clock = systemClock;

  constructor(cache: Cache, stream: WatchingStream) {
    this.#cache = cache;
    this.#stream = stream;
  }

  /** The watch of a type; undefined if it is not watched. */
  get(typeUrl: string): Watch | undefined {
    return this.#watches.get(typeUrl);
  }

  /** Watches a type. */
  add(client: Client, typeUrl: string, subscription: Subscription) {
    this.#subscriptions.set(typeUrl, subscription);
    this.#watch(client, typeUrl, subscription);
  }

  /** Goes on for another client, with all that is watched. */
  move(client: Client) {
    for (const [typeUrl, subscription] of this.#subscriptions) {
      if (this.#stream.ended !== undefined) return;
      this.#stream.guard(() => {
        // What there is for the client before is nothing to the next, for whom there may be nothing at all.
        const none = { view: undefined, names: undefined };
        this.#stream.step({ kind: "changed", typeUrl, ...none });
        this.#watch(client, typeUrl, subscription);
      });
    }
  }

  /** Tells the stream when a time has passed, in milliseconds. */
  timer(id: string, after: number) {
    const done = () => {
      this.#timers.delete(id);
      if (this.#stream.ended === undefined) {
        this.#stream.step({ kind: "timer", id });
      }
    };
    this.#timers.set(id, this.#clock.after(after, done));
  }

  #watch(client: Client, typeUrl: string, subscription: Subscription) {
    const stream = this.#stream;
    let isCurrent = true;
    const step = (event: StreamEvent) => {
      if (isCurrent && stream.ended === undefined) stream.step(event);
    };
    const inspect = (name: string) => stream.stateOf(typeUrl, name);
    const blocked = () => stream.blockedOf(typeUrl);
    const watched = { client, typeUrl, subscription, inspect, blocked };
    const watch = this.#cache.watch(watched, {
      changed: (view, names) => step({ kind: "changed", typeUrl, view, names }),
      unserved: () => {
        if (!isCurrent || stream.ended !== undefined) return;
        stream.unserved(client, typeUrl);
      },
      heartbeat: () => step({ kind: "heartbeat", typeUrl }),
    });
    // Which of several caches serves the type may change with the names.
    const announce = () => {
      const { sequencing, history } = watch;
      this.#clock = sequencing?.clock ?? this.#clock;
      step({ kind: "watched", typeUrl, sequencing, history });
    };
    announce();
    const held: Watch = {
      subscribed: () => {
        watch.subscribed?.();
        announce();
      },
      progress: (progress) => watch.progress?.(progress),
      [Symbol.dispose]: () => {
        isCurrent = false;
        watch[Symbol.dispose]();
      },
    };
    if (stream.ended === undefined) this.#watches.set(typeUrl, held);
    else held[Symbol.dispose]();
  }

  /** Ends all watches; what was watched is known still, for {@linkcode move}. */
  [Symbol.dispose]() {
    for (const watch of this.#watches.values()) {
      this.#stream.guard(() => watch[Symbol.dispose]());
    }
    this.#watches.clear();
    if (this.#stream.ended === undefined) return;
    for (const timer of this.#timers.values()) timer[Symbol.dispose]();
    this.#timers.clear();
  }
}
