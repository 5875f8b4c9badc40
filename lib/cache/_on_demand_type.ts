import type { Message } from "@bufbuild/protobuf";
import { createResource, isCollection, Resource } from "../resource/mod.ts";
import type { Client, Watch, WatchRequest, WatchSink } from "./cache.ts";
import { type Clock, systemClock } from "./clock.ts";
import type { Explanation } from "./explain.ts";
import type {
  OnDemandCacheOptions,
  OnDemandRequest,
  Resolver,
} from "./on_demand_cache.ts";
import { View } from "./view.ts";
import { Watches } from "./_watches.ts";

const LONGEST_RETRY = 60_000;

/** A name that was asked for. */
interface Entry {
  readonly type: OnDemandType;
  readonly request: OnDemandRequest;
  /** How many watches ask for it. */
  watches: number;
  /** Ends the call that is under way. */
  call: AbortController | undefined;
  retry: Disposable | undefined;
  failures: number;
  answered: boolean;
  /** Whether the answer was invalidated. */
  stale: boolean;
}

/** Names with an answer that nobody asks for any longer, of all types of a cache. */
export class IdleNames {
  readonly #most: number;
  /** In the order in which they were given up. */
  readonly #entries = new Set<Entry>();

  /** @param most how many to keep */
  constructor(most: number) {
    this.#most = most;
  }

  add(entry: Entry) {
    this.#entries.add(entry);
  }

  delete(entry: Entry) {
    this.#entries.delete(entry);
  }

  /** Takes out those that are too many, by their types. */
  takeOldest(): Map<OnDemandType, Entry[]> {
    const oldest = new Map<OnDemandType, Entry[]>();
    for (const entry of this.#entries) {
      if (this.#entries.size <= this.#most) break;
      this.#entries.delete(entry);
      const ofType = oldest.get(entry.type);
      if (ofType) ofType.push(entry);
      else oldest.set(entry.type, [entry]);
    }
    return oldest;
  }
}

/** What is served of a type, and to whom. */
export interface OnDemandTypeOptions extends OnDemandCacheOptions {
  readonly typeUrl: string;
  readonly resolver: Resolver;
  readonly idle: IdleNames;
  /** Called once nobody asks for anything of the type, and nothing is known of it. */
  readonly onUnused: () => void;
}

/** What was found of one type of an `OnDemandCache`, and who asks for it. */
export class OnDemandType {
  readonly #typeUrl: string;
  readonly #resolver: Resolver;
  readonly #onError: NonNullable<OnDemandCacheOptions["onError"]>;
  readonly #onUnused: () => void;
  readonly #retry: number;
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();
  readonly #idle: IdleNames;
  readonly #watches: Watches;

  constructor(options: OnDemandTypeOptions) {
    const { typeUrl, resolver, idle, onUnused } = options;
    const { heartbeat, clock = systemClock } = options;
    this.#typeUrl = typeUrl;
    this.#resolver = resolver;
    this.#onError = options.onError ?? printError;
    this.#onUnused = onUnused;
    this.#retry = options.retry ?? 1_000;
    this.#clock = clock;
    this.#idle = idle;
    const isPending = (name: string) => !this.#entries.get(name)?.answered;
    const view = new View(new Map(), { isPending });
    this.#watches = new Watches(view, { heartbeat, clock });
  }

  /** How many resources were found. */
  get size(): number {
    return this.#watches.view.resources.size;
  }

  get watches(): number {
    return this.#watches.size;
  }

  explain(name: string, client: Client | undefined): Iterable<Explanation> {
    return this.#watches.explain(this.#typeUrl, name, client);
  }

  watch(request: WatchRequest, sink: WatchSink): Watch {
    const { client, subscription } = request;
    // What others have found is nothing that a wildcard asked for.
    const named: WatchRequest = {
      ...request,
      subscription: {
        wildcard: false,
        get names() {
          return subscription.names;
        },
      },
    };
    const asksForAll = () =>
      subscription.wildcard || [...subscription.names].some(isCollection);
    let own: View | undefined;
    const told: WatchSink = {
      changed: (view, names) => {
        if (!view || !asksForAll()) own = undefined;
        else own = onlyNamed(subscription.names, view, own, names);
        sink.changed(own ?? view, names);
      },
      heartbeat: () => sink.heartbeat?.(),
    };
    const watch = this.#watches.add(named, told, (added, dropped) => {
      for (const name of added) this.#ask(name, client);
      this.#drop(dropped);
    });
    return {
      ...watch,
      [Symbol.dispose]: () => {
        watch[Symbol.dispose]();
        this.#review();
      },
    };
  }

  invalidate(name: string) {
    const entry = this.#entries.get(name);
    if (!entry) return;
    this.#stop(entry);
    entry.stale = true;
    entry.failures = 0;
    if (entry.watches > 0) this.#resolve(entry);
    else this.#forget([entry]);
  }

  #ask(name: string, client: Client) {
    // Nobody knows what is in a collection.
    if (isCollection(name)) return;
    const entry = this.#entries.get(name);
    if (entry) {
      entry.watches++;
      this.#idle.delete(entry);
      if (!entry.answered && !entry.call && !entry.retry) this.#resolve(entry);
      return;
    }
    const request = { typeUrl: this.#typeUrl, name, client };
    const asked: Entry = {
      type: this,
      request,
      watches: 1,
      call: undefined,
      retry: undefined,
      failures: 0,
      answered: false,
      stale: false,
    };
    this.#entries.set(name, asked);
    this.#resolve(asked);
  }

  #drop(names: Iterable<string>) {
    const unknown: Entry[] = [];
    for (const name of names) {
      const entry = this.#entries.get(name);
      if (!entry || --entry.watches > 0) continue;
      this.#stop(entry);
      if (!entry.answered || entry.stale) unknown.push(entry);
      else this.#idle.add(entry);
    }
    this.#forget(unknown);
    for (const [type, entries] of this.#idle.takeOldest()) {
      type.#forget(entries);
    }
  }

  #stop(entry: Entry) {
    entry.call?.abort();
    entry.call = undefined;
    entry.retry?.[Symbol.dispose]();
    entry.retry = undefined;
  }

  async #resolve(entry: Entry) {
    const call = entry.call = new AbortController();
    // So that the watch that asks is there when the answer is.
    await undefined;
    try {
      if (call.signal.aborted) return;
      const found = await this.#resolver(entry.request, call.signal);
      if (entry.call !== call) return;
      entry.call = undefined;
      this.#answer(entry, found && this.#resource(entry.request.name, found));
    } catch (error) {
      if (entry.call !== call && call.signal.aborted) return;
      entry.call = undefined;
      this.#tryAgain(entry);
      this.#report(error, entry.request);
    }
  }

  #resource(name: string, found: Resource | Message): Resource {
    const resource = found instanceof Resource
      ? found
      : createResource(found, { name });
    if (resource.typeUrl !== this.#typeUrl) {
      throw new TypeError(
        `the resolver gave a ${resource.typeUrl} for ${this.#typeUrl} ${
          JSON.stringify(name)
        }`,
      );
    }
    if (resource.name === name) return resource;
    const { typeUrl, bytes, version, ttl } = resource;
    return createResource({ typeUrl, name, bytes, version, ttl });
  }

  #answer(entry: Entry, resource: Resource | undefined) {
    const { name } = entry.request;
    entry.failures = 0;
    const isFirst = !entry.answered;
    entry.answered = true;
    entry.stale = false;
    const before = this.#watches.view;
    const view = resource
      ? before.with([resource], [])
      : before.with([], [name]);
    // That there is none is news the first time, though nothing differs.
    const names = isFirst ? new Set([name]) : view.since(before);
    this.#watches.publish(view, names);
  }

  #report(error: unknown, request: OnDemandRequest) {
    try {
      this.#onError(error, request);
    } catch (another) {
      printError(another, request);
    }
  }

  #tryAgain(entry: Entry) {
    const delay = Math.min(this.#retry * 2 ** entry.failures, LONGEST_RETRY);
    entry.failures++;
    entry.retry = this.#clock.after(delay, () => {
      entry.retry = undefined;
      this.#resolve(entry);
    });
  }

  #forget(entries: readonly Entry[]) {
    if (entries.length === 0) return;
    const before = this.#watches.view;
    const found: string[] = [];
    for (const entry of entries) {
      const { name } = entry.request;
      this.#idle.delete(entry);
      this.#entries.delete(name);
      if (before.resources.has(name)) found.push(name);
    }
    if (found.length > 0) {
      this.#watches.publish(before.with([], found), new Set(found));
    }
    this.#review();
  }

  #review() {
    if (this.#watches.size + this.#entries.size === 0) this.#onUnused();
  }
}

/**
 * What a client that asks for all beside some names is given: those names. `own` is what it was given last, and
 * `changed` names that differ since then, if that is known and the client asks for the same.
 */
function onlyNamed(
  wanted: ReadonlySet<string>,
  view: View,
  own = new View(new Map(), { isPending: (name) => view.isPending(name) }),
  changed?: ReadonlySet<string>,
): View {
  const isKnown = changed !== undefined && changed.size > 0;
  const set: Resource[] = [];
  const removed: string[] = [];
  for (const name of isKnown ? changed : wanted) {
    const resource = wanted.has(name) ? view.resources.get(name) : undefined;
    if (resource) set.push(resource);
    else removed.push(name);
  }
  if (!isKnown) {
    for (const name of own.resources.keys()) {
      if (!wanted.has(name)) removed.push(name);
    }
  }
  return own.with(set, removed);
}

function printError(error: unknown, { typeUrl, name }: OnDemandRequest) {
  console.error(
    `xds: the resolver failed for ${typeUrl} ${JSON.stringify(name)}:`,
    error,
  );
}
