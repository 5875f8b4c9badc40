import type { Message } from "@bufbuild/protobuf";
import { canonicalName, type Resource } from "../resource/mod.ts";
import type { Cache, Client, Watch, WatchRequest, WatchSink } from "./cache.ts";
import type { Clock } from "./clock.ts";
import { explainAbsence, type Explanation } from "./explain.ts";
import { type CacheStats, type Countable, TypeCounts } from "./stats.ts";
import { IdleNames, OnDemandType } from "./_on_demand_type.ts";

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
   * How many answers are kept for names that nobody asks for any longer; those that were given up first are forgotten
   * first. So that clients can ask for what strangers make up, as hostnames of requests, for as long as they
   * like. What somebody asks for is always kept. Default: 10 000; Infinity for no bound.
   */
  idleNames?: number;
  /**
   * How often resources that have a TTL are refreshed, in milliseconds, give or take a tenth. Default: a third of the
   * shortest TTL.
   */
  heartbeat?: number;
  /** What tells the time. Default: the system. */
  clock?: Clock;
}

const DEFAULT_IDLE_NAMES = 10_000;

/**
 * Serves what a function finds when it is first asked for: for Envoy's on-demand clusters (ODCDS) and virtual hosts
 * (VHDS), which ask for what traffic needs. An answer is kept until it is invalidated, or many others were given up after
 * it (`idleNames`); that there is no such resource is an answer, too. A client that asks for all, or for a collection, is given nothing, since what there is is not known.
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
  readonly #idle: IdleNames;

  /**
   * Makes a cache that knows nothing yet.
   *
   * @throws {RangeError} if `idleNames` is no number of names
   */
  constructor(resolver: Resolver, options: OnDemandCacheOptions = {}) {
    const { idleNames = DEFAULT_IDLE_NAMES } = options;
    if (
      idleNames !== Infinity && (!Number.isInteger(idleNames) || idleNames < 0)
    ) {
      throw new RangeError(
        `idleNames is ${
          String(idleNames)
        }: it must be a whole number, 0 or above, or Infinity for no bound`,
      );
    }
    this.#resolver = resolver;
    this.#options = options;
    this.#idle = new IdleNames(idleNames);
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
    const known = this.#types.get(typeUrl);
    if (known) return known.watch(request, sink);
    const about = { typeUrl, resolver: this.#resolver, idle: this.#idle };
    const type: OnDemandType = new OnDemandType({
      ...this.#options,
      ...about,
      // A client may ask for any type that it makes up. There may be another by then.
      onUnused: () => {
        if (this.#types.get(typeUrl) === type) this.#types.delete(typeUrl);
      },
    });
    this.#types.set(typeUrl, type);
    return type.watch(request, sink);
  }
}
