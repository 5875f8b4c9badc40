import type {
  Cache,
  Client,
  ResourceState,
  Subscription,
  Watch,
} from "../cache/mod.ts";
import type { StreamEvent } from "../protocol/mod.ts";

/** The stream that watches are for. */
export interface WatchingStream {
  /** Why it ended; undefined if it has not. Nothing is passed on to it once it has. */
  readonly ended: Error | null | undefined;
  /** Takes what a cache has said. */
  step(event: StreamEvent): void;
  /** Takes that a cache has something that waits until the client has asked for some more names. */
  hold(client: Client, typeUrl: string, waitingFor: ReadonlySet<string>): void;
  /** Where the client stands with a resource. */
  stateOf(typeUrl: string, name: string): ResourceState;
  /** Calls a cache, so that what it throws concerns this stream alone. */
  guard(call: () => void): void;
}

/** What one stream watches in the cache, by type. */
export class Watches implements Disposable {
  readonly #cache: Cache;
  readonly #stream: WatchingStream;
  readonly #watches = new Map<string, Watch>();
  readonly #draining = new Map<string, Disposable>();
  readonly #subscriptions = new Map<string, Subscription>();

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
      this.#stream.guard(() => this.#watch(client, typeUrl, subscription));
    }
  }

  /** Lets requests that are under way end, if the cache takes time for that, before a type's removals. */
  drain(typeUrl: string) {
    const done = () => {
      if (this.#stream.ended === undefined) {
        this.#stream.step({ kind: "drained", typeUrl });
      }
    };
    const draining = this.#watches.get(typeUrl)?.drain?.(done);
    if (draining) this.#draining.set(typeUrl, draining);
    else done();
  }

  /** Ends what {@linkcode drain} began. */
  undrain(typeUrl: string) {
    this.#draining.get(typeUrl)?.[Symbol.dispose]();
    this.#draining.delete(typeUrl);
  }

  #watch(client: Client, typeUrl: string, subscription: Subscription) {
    const stream = this.#stream;
    let isCurrent = true;
    const step = (event: StreamEvent) => {
      if (isCurrent && stream.ended === undefined) stream.step(event);
    };
    const inspect = (name: string) => stream.stateOf(typeUrl, name);
    const watched = { client, typeUrl, subscription, inspect };
    const watch = this.#cache.watch(watched, {
      changed: (view, names) => step({ kind: "changed", typeUrl, view, names }),
      held: (waitingFor) => {
        if (!isCurrent || stream.ended !== undefined) return;
        stream.hold(client, typeUrl, waitingFor);
      },
      heartbeat: () => step({ kind: "heartbeat", typeUrl }),
    });
    // Which of several caches serves the type may change with the names.
    const announce = () =>
      step({
        kind: "watched",
        typeUrl,
        makeBeforeBreak: watch.makeBeforeBreak ?? false,
        drains: watch.drain !== undefined,
      });
    announce();
    const held: Watch = {
      get drain() {
        return watch.drain;
      },
      subscribed: () => {
        watch.subscribed?.();
        announce();
      },
      sent: (view) => watch.sent?.(view),
      refused: (refusal) => watch.refused?.(refusal),
      settled: (view, outcome) => watch.settled?.(view, outcome),
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
    for (const draining of this.#draining.values()) draining[Symbol.dispose]();
    this.#draining.clear();
  }
}
