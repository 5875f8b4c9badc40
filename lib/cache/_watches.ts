import { collectionOf } from "../resource/mod.ts";
import type { Watch, WatchRequest, WatchSink } from "./cache.ts";
import type { Clock } from "./clock.ts";
import { Heartbeat } from "./_heartbeat.ts";
import type { Subscription } from "./subscription.ts";
import type { View } from "./view.ts";

/** When what has a TTL is refreshed. */
export interface WatchesOptions {
  readonly heartbeat: number | undefined;
  readonly clock: Clock;
}

/**
 * Watches of one type that are served the same view, found by the names that they ask for: a change is told to those
 * that it concerns, and costs nothing for others.
 */
export class Watches {
  readonly #wildcards = new Set<OneWatch>();
  readonly #byName = new Map<string, Set<OneWatch>>();
  readonly #heartbeat: Heartbeat;
  #view: View;

  constructor(view: View, { heartbeat, clock }: WatchesOptions) {
    this.#view = view;
    this.#heartbeat = new Heartbeat(clock, heartbeat, () => this.#beat());
  }

  /** What is served. */
  get view(): View {
    return this.#view;
  }

  /** True if somebody asks for a resource by that name. */
  has(name: string): boolean {
    return this.#byName.has(name);
  }

  /** Starts a watch. `subscribed` is told of the names that it asks for, at once and before a change of them. */
  add(
    { subscription }: WatchRequest,
    sink: WatchSink,
    subscribed?: (added: Iterable<string>, dropped: Iterable<string>) => void,
  ): Watch {
    const watch = new OneWatch(subscription, sink);
    subscribed?.(subscription.names, none);
    this.#enter(watch);
    sink.changed(this.#view);
    this.#heartbeat.expect([this.#view]);
    return {
      subscribed: () => {
        const before = watch.names;
        const { names } = subscription;
        if (names !== before) {
          subscribed?.(lacking(names, before), lacking(before, names));
        }
        this.#leave(watch);
        this.#enter(watch);
        // Of what it asked for before it knows what has changed.
        sink.changed(this.#view, none);
      },
      [Symbol.dispose]: () => {
        this.#leave(watch);
        if (this.#wildcards.size + this.#byName.size === 0) {
          this.#heartbeat.stop();
        }
        const { names } = watch;
        watch.names = none;
        subscribed?.(none, names);
      },
    };
  }

  /** Serves another view, to those whom the names concern in which it differs from the last. */
  publish(view: View, names: ReadonlySet<string>) {
    this.#view = view;
    if (names.size === 0) return;
    for (const watch of this.#wildcards) watch.sink.changed(view, names);
    if (this.#byName.size > 0) {
      for (const watch of this.#concerned(names)) {
        watch.sink.changed(view, names);
      }
    }
    if (this.#wildcards.size + this.#byName.size > 0) {
      this.#heartbeat.expect([view]);
    }
  }

  #concerned(names: ReadonlySet<string>): Iterable<OneWatch> {
    const concerned = new Set<OneWatch>();
    for (const name of names) {
      this.#byName.get(name)?.forEach((watch) => concerned.add(watch));
      const collection = collectionOf(name);
      if (collection === undefined) continue;
      this.#byName.get(collection)?.forEach((watch) => concerned.add(watch));
    }
    return concerned;
  }

  #enter(watch: OneWatch) {
    watch.names = watch.subscription.names;
    if (watch.subscription.wildcard) {
      // It is told of every change, and so of those of its names.
      this.#wildcards.add(watch);
    } else {
      for (const name of watch.names) {
        const watches = this.#byName.get(name);
        if (watches) watches.add(watch);
        else this.#byName.set(name, new Set([watch]));
      }
    }
  }

  #leave(watch: OneWatch) {
    if (this.#wildcards.delete(watch)) return;
    for (const name of watch.names) {
      const watches = this.#byName.get(name);
      watches?.delete(watch);
      if (watches?.size === 0) this.#byName.delete(name);
    }
  }

  #beat(): Iterable<View> {
    const { expiring } = this.#view;
    const watches = new Set(expiring.length > 0 ? this.#wildcards : []);
    for (const { name } of expiring) {
      for (const watch of this.#concerned(new Set([name]))) watches.add(watch);
    }
    for (const watch of watches) watch.sink.heartbeat?.();
    return [this.#view];
  }
}

class OneWatch {
  readonly subscription: Subscription;
  readonly sink: WatchSink;
  /** The names by which it is found. */
  names = none;

  constructor(subscription: Subscription, sink: WatchSink) {
    this.subscription = subscription;
    this.sink = sink;
  }
}

const none: ReadonlySet<string> = new Set();

function* lacking(
  names: ReadonlySet<string>,
  other: ReadonlySet<string>,
): Iterable<string> {
  for (const name of names) {
    if (!other.has(name)) yield name;
  }
}
