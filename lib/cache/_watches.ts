import { collectionOf, type Resource } from "../resource/mod.ts";
import type {
  Client,
  Progress,
  Watch,
  WatchRequest,
  WatchSink,
} from "./cache.ts";
import type { Clock } from "./clock.ts";
import { explain, type Explanation } from "./explain.ts";
import { Heartbeat } from "./_heartbeat.ts";
import { Spread, type SpreadTold } from "./_spread.ts";
import type { Subscription } from "./subscription.ts";
import type { View } from "./view.ts";

/**
 * How many changes may be made, at least, before those that nothing concerned are given the newest view: as many as
 * there are of them, or of resources, so that a change does not cost more for it.
 */
const LEAST_UNTOLD = 1_024;

/** When what has a TTL is refreshed. */
export interface WatchesOptions {
  readonly heartbeat: number | undefined;
  readonly clock: Clock;
  /** Told how far changes have come; left out, that is not looked for. */
  readonly told?: SpreadTold;
  /** Whether it is known what there is; until then, watches are told nothing. Default: true. */
  readonly isReady?: boolean;
  /** How many older views to keep. Default: none. */
  readonly history?: number;
}

/**
 * Watches of one type that are served the same view, found by the names that they ask for: a change is told to those
 * that it concerns, and costs nothing for others.
 */
export class Watches {
  readonly #all = new Set<OneWatch>();
  readonly #wildcards = new Set<OneWatch>();
  readonly #byName = new Map<string, Set<OneWatch>>();
  readonly #heartbeat: Heartbeat;
  readonly #clock: Clock;
  readonly #told: SpreadTold | undefined;
  /** Those that have not answered the newest that concerns them; if there is somebody to be told. */
  readonly #unsettled = new Set<OneWatch>();
  /** How many changes were made since all had the newest view. */
  #untold = 0;
  #view: View;
  #isReady: boolean;
  readonly #mostHistory: number;
  #older: readonly View[] = [];

  constructor(view: View, options: WatchesOptions) {
    const { heartbeat, clock, told, isReady = true, history = 0 } = options;
    this.#view = view;
    this.#isReady = isReady;
    this.#mostHistory = history;
    this.#clock = clock;
    this.#told = told;
    this.#heartbeat = new Heartbeat(clock, heartbeat, () => this.#beat());
  }

  /** What is served. */
  get view(): View {
    return this.#view;
  }

  /** What was served before, newest first: as of now, whenever it is read. */
  get history(): Iterable<View> {
    return { [Symbol.iterator]: () => this.#older[Symbol.iterator]() };
  }

  /** From now on it is known what there is. */
  ready() {
    if (this.#isReady) return;
    this.#isReady = true;
    for (const { sink } of [...this.#all]) sink.changed(this.#view);
    this.#heartbeat.expect([this.#view]);
  }

  /** How many there are. */
  get size(): number {
    return this.#all.size;
  }

  /** How many have not answered the newest that concerns them; undefined if that is not looked for. */
  get unsettled(): number | undefined {
    return this.#told && this.#unsettled.size;
  }

  /** Why each client, or that one, has a resource, or has it not. */
  *explain(
    typeUrl: string,
    name: string,
    client: Client | undefined,
  ): Iterable<Explanation> {
    for (const watch of this.#all) {
      const { request, sentAt } = watch;
      if (client && request.client !== client) continue;
      yield explain({
        typeUrl,
        name,
        resource: this.#view.resources.get(name),
        where: "cache",
        client: request.client,
        state: request.inspect?.(name),
        blocked: request.blocked?.(),
        sentAt,
        isPending: this.#view.isPending(name),
      });
    }
  }

  /** Starts a watch. `subscribed` is told of the names that it asks for, at once and before a change of them. */
  add(
    request: WatchRequest,
    sink: WatchSink,
    subscribed?: (added: Iterable<string>, dropped: Iterable<string>) => void,
  ): Watch {
    const { subscription } = request;
    const watch = new OneWatch(request, sink);
    subscribed?.(subscription.names, none);
    this.#all.add(watch);
    if (this.#told) this.#unsettled.add(watch);
    this.#enter(watch);
    sink.changed(this.#served);
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
        this.#heartbeat.expect([this.#view]);
        // Of what it asked for before it knows what has changed.
        sink.changed(this.#served, none);
      },
      progress: (progress) => this.#progress(watch, progress),
      [Symbol.dispose]: () => {
        this.#all.delete(watch);
        this.#unsettled.delete(watch);
        watch.spread?.leave(watch);
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

  get #served(): View | undefined {
    return this.#isReady ? this.#view : undefined;
  }

  #progress(watch: OneWatch, progress: Progress) {
    if (progress.kind === "sent") watch.sentAt = this.#clock.now();
    if (progress.kind !== "settled" || !this.#told) return;
    const { refusal, blocked } = progress.outcome;
    this.#unsettled.delete(watch);
    const { spread } = watch;
    // First, since observers may make another change re-entrantly.
    watch.spread = undefined;
    spread?.answer(watch, (refusal ?? blocked) !== undefined);
  }

  /** Serves another view, to those whom the names concern in which it differs from the last. */
  publish(view: View, names: ReadonlySet<string>) {
    if (!this.#isReady) {
      this.#view = view;
      return;
    }
    if (this.#mostHistory > 0) {
      this.#older = [this.#view, ...this.#older].slice(0, this.#mostHistory);
    }
    this.#view = view;
    if (names.size === 0) return;
    const overtaken = this.#told && this.#follow(names, this.#told);
    // Whoever is told of it may publish another, and nobody is to go back from that.
    for (const { sink } of this.#wildcards) sink.changed(this.#view, names);
    if (this.#byName.size > 0) {
      for (const { sink } of this.#concerned(names)) {
        sink.changed(this.#view, names);
      }
    }
    if (this.#wildcards.size + this.#byName.size > 0) {
      this.#heartbeat.expectToo(resourcesOf(view, names));
    }
    const most = Math.max(LEAST_UNTOLD, this.#all.size, view.resources.size);
    if (++this.#untold > most) this.#refresh();
    // Last, since whoever is told of it may make another change.
    for (const [watch, spread] of overtaken ?? []) spread.overtake(watch);
  }

  /** Gives those that nothing concerned the newest view, so that they let go of those that they had. */
  #refresh() {
    this.#untold = 0;
    for (const { subscription, sink } of this.#all) {
      if (!subscription.wildcard) sink.changed(this.#view, none);
    }
  }

  /** Follows how far a change of these names comes. Returns those that were followed by an older one. */
  #follow(
    names: ReadonlySet<string>,
    told: SpreadTold,
  ): ReadonlyMap<OneWatch, Spread<OneWatch>> {
    const concerned = new Set([...this.#wildcards, ...this.#concerned(names)]);
    const setAt = this.#clock.now();
    const elapsed = () => Math.max(0, this.#clock.now() - setAt);
    const spread = new Spread(concerned, elapsed, told);
    const overtaken = new Map<OneWatch, Spread<OneWatch>>();
    for (const watch of concerned) {
      if (watch.spread) overtaken.set(watch, watch.spread);
      watch.spread = spread;
      this.#unsettled.add(watch);
    }
    return overtaken;
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
  readonly request: WatchRequest;
  readonly sink: WatchSink;
  /** The names by which it is found. */
  names = none;
  /** When its client was sent something last, in milliseconds since 1970. */
  sentAt: number | undefined;
  /** The last change that concerns it, until it has answered that. */
  spread: Spread<OneWatch> | undefined;

  constructor(request: WatchRequest, sink: WatchSink) {
    this.request = request;
    this.sink = sink;
  }

  get subscription(): Subscription {
    return this.request.subscription;
  }
}

const none: ReadonlySet<string> = new Set();

function* resourcesOf(
  { resources }: View,
  names: ReadonlySet<string>,
): Iterable<Resource> {
  for (const name of names) {
    const resource = resources.get(name);
    if (resource) yield resource;
  }
}

function* lacking(
  names: ReadonlySet<string>,
  other: ReadonlySet<string>,
): Iterable<string> {
  for (const name of names) {
    if (!other.has(name)) yield name;
  }
}
