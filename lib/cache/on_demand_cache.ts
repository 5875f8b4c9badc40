import type { Message } from "@bufbuild/protobuf";
import {
  canonicalName,
  createResource,
  isCollection,
  Resource,
} from "../resource/mod.ts";
import type { Cache, Client, Watch, WatchRequest, WatchSink } from "./cache.ts";
import { type Clock, systemClock } from "./clock.ts";
import { explainAbsence, type Explanation } from "./explain.ts";
import { type CacheStats, type Countable, TypeCounts } from "./stats.ts";
import { View } from "./view.ts";
import { Watches } from "./_watches.ts";

/** What a resolver is asked for. */
export interface OnDemandRequest {
  /** The type. */
  readonly typeUrl: string;
  /** The name. */
  readonly name: string;
  /** The client that asked first. Its answer is everybody's. */
  readonly client: Client;
}

/**
 * Finds the resource of a name, or that there is none. It is called once for a name, however many ask.
 *
 * A message becomes a resource of the name that was asked for, whatever its own. An Envoy forgets a virtual host by the
 * message's name, so give it that name, too.
 */
export type Resolver = (
  request: OnDemandRequest,
  /** Aborted when nobody asks for the name any longer, or it was invalidated. */
  signal: AbortSignal,
) =>
  | Resource
  | Message
  | undefined
  | Promise<Resource | Message | undefined>;

/** Options of an {@linkcode OnDemandCache}. */
export interface OnDemandCacheOptions {
  /**
   * Told of what a resolver throws, or rejects with, or that it gave something of another type. Default: it is printed.
   * The client goes on waiting, and the resolver is called again after a while.
   */
  onError?: (error: unknown, request: OnDemandRequest) => void;
  /**
   * How long to wait until a resolver that failed is called again, in milliseconds; each time in a row twice as long, up
   * to a minute. Default: 1 000.
   */
  retry?: number;
  /**
   * How often resources that have a TTL are refreshed, in milliseconds, give or take a tenth. Default: a third of the
   * shortest TTL.
   */
  heartbeat?: number;
  /** What tells the time. Default: the system. */
  clock?: Clock;
}

const LONGEST_RETRY = 60_000;

/**
 * Serves what a function finds when it is first asked for: for Envoy's on-demand clusters (ODCDS) and virtual hosts
 * (VHDS), which ask for what traffic needs. An answer is kept until it is invalidated; that there is no such resource is
 * an answer, too. A client that asks for all, or for a collection, is given nothing, since what there is is not known.
 *
 * An Envoy fails the request that asked for a cluster that does not exist at once. Later requests wait for it until their
 * filter's `timeout`, since Envoy 1.40 does not ask again: {@linkcode OnDemandCache.invalidate} it when it comes to be.
 *
 * @example
 * ```ts
 * import { OnDemandCache } from "@xds/control-plane";
 * import { ClusterSchema } from "@xds/envoy/envoy/config/cluster/v3";
 * import { create } from "@bufbuild/protobuf";
 *
 * const known = new Set(["users", "carts"]);
 * const cache = new OnDemandCache(({ name }) =>
 *   known.has(name) ? create(ClusterSchema, { name }) : undefined
 * );
 * known.delete("carts");
 * cache.invalidate("carts");
 * ```
 */
export class OnDemandCache implements Cache, Countable {
  readonly #resolver: Resolver;
  readonly #options: OnDemandCacheOptions;
  readonly #types = new Map<string, OnDemandType>();

  /** Makes a cache that knows nothing yet. */
  constructor(resolver: Resolver, options: OnDemandCacheOptions = {}) {
    this.#resolver = resolver;
    this.#options = options;
  }

  /**
   * Forgets the answer for a name, of one type or of all. If somebody asks for it, the resolver is called again, and what
   * they have stands until it has answered.
   */
  invalidate(name: string, typeUrl?: string): void {
    name = canonicalName(name);
    for (const [known, type] of this.#types) {
      if (typeUrl === undefined || typeUrl === known) type.invalidate(name);
    }
  }

  /** How much was found, and how many ask for it; at a cost that is proportional to the types. */
  stats(): CacheStats {
    const counts = new TypeCounts();
    for (const [typeUrl, type] of this.#types) {
      counts.add(typeUrl, "resources", type.size);
      counts.add(typeUrl, "watches", type.watches);
    }
    return { unsettled: undefined, types: counts.types };
  }

  /** Why each client that asks for the type has a resource, or has it not. */
  explain(typeUrl: string, name: string): Explanation[];
  /** Why a client, as events tell of it (`event.client`), has a resource, or has it not. */
  explain(typeUrl: string, name: string, client: Client): Explanation;
  explain(
    typeUrl: string,
    name: string,
    client?: Client,
  ): Explanation | Explanation[] {
    const said = canonicalName(name);
    const found = [...this.#types.get(typeUrl)?.explain(said, client) ?? []];
    if (found.length === 0) {
      const about = { client, ofKey: false };
      found.push(explainAbsence(typeUrl, said, "no client", about));
    }
    return client ? found[0] : found;
  }

  /** For the server. */
  watch(request: WatchRequest, sink: WatchSink): Watch {
    const { typeUrl } = request;
    let type = this.#types.get(typeUrl);
    if (!type) {
      type = new OnDemandType(typeUrl, this.#resolver, this.#options);
      this.#types.set(typeUrl, type);
    }
    return type.watch(request, sink);
  }
}

/** A name that was asked for. */
interface Entry {
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

class OnDemandType {
  readonly #typeUrl: string;
  readonly #resolver: Resolver;
  readonly #onError: NonNullable<OnDemandCacheOptions["onError"]>;
  readonly #retry: number;
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();
  readonly #watches: Watches;

  constructor(
    typeUrl: string,
    resolver: Resolver,
    options: OnDemandCacheOptions,
  ) {
    const { heartbeat, clock = systemClock } = options;
    this.#typeUrl = typeUrl;
    this.#resolver = resolver;
    this.#onError = options.onError ?? printError;
    this.#retry = options.retry ?? 1_000;
    this.#clock = clock;
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
    return this.#watches.add(named, told, (added, dropped) => {
      for (const name of added) this.#ask(name, client);
      for (const name of dropped) this.#drop(name);
    });
  }

  invalidate(name: string) {
    const entry = this.#entries.get(name);
    if (!entry) return;
    this.#stop(entry);
    entry.stale = true;
    entry.failures = 0;
    if (entry.watches > 0) this.#resolve(entry);
    else this.#forget(name);
  }

  #ask(name: string, client: Client) {
    // Nobody knows what is in a collection.
    if (isCollection(name)) return;
    const entry = this.#entries.get(name);
    if (entry) {
      entry.watches++;
      if (!entry.answered && !entry.call && !entry.retry) this.#resolve(entry);
      return;
    }
    const request = { typeUrl: this.#typeUrl, name, client };
    const asked: Entry = {
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

  #drop(name: string) {
    const entry = this.#entries.get(name);
    if (!entry || --entry.watches > 0) return;
    this.#stop(entry);
    if (!entry.answered || entry.stale) this.#forget(name);
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

  #forget(name: string) {
    this.#entries.delete(name);
    const before = this.#watches.view;
    if (before.resources.has(name)) {
      this.#watches.publish(before.with([], [name]), new Set([name]));
    }
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
