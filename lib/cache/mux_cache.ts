import {
  type Cache,
  RequestError,
  type Watch,
  type WatchRequest,
  type WatchSink,
} from "./cache.ts";
import { View } from "./view.ts";

/** Options of a {@linkcode MuxCache}. */
export interface MuxCacheOptions {
  /**
   * What becomes of a request that no cache serves. `"empty"`: the client is told that there is nothing of the type, and
   * observers of the server get an event; other types on its stream go on. `"error"`: its stream ends with `NOT_FOUND`.
   * Default: `"empty"`.
   */
  unserved?: "empty" | "error";
}

/**
 * Several caches as one: a function picks the one that serves a request, by its type, its node, the names that it asks
 * for, or whatever else it says. A stream may meet several of them.
 *
 * @example Everybody's clusters from one cache, endpoints from another, the rest by node
 * ```ts
 * import { LinearCache, MuxCache, SnapshotCache, TypeUrl } from "@xds/control-plane";
 * import { ClusterSchema } from "@xds/envoy/envoy/config/cluster/v3";
 * import { ClusterLoadAssignmentSchema } from "@xds/envoy/envoy/config/endpoint/v3";
 *
 * const clusters = new LinearCache(ClusterSchema);
 * const endpoints = new LinearCache(ClusterLoadAssignmentSchema);
 * const others = new SnapshotCache();
 * const cache = new MuxCache(({ typeUrl }) => {
 *   if (typeUrl === TypeUrl.Cluster) return clusters;
 *   return typeUrl === TypeUrl.ClusterLoadAssignment ? endpoints : others;
 * });
 * ```
 */
export class MuxCache implements Cache {
  readonly #pick: (request: WatchRequest) => Cache | undefined;
  readonly #unserved: NonNullable<MuxCacheOptions["unserved"]>;

  /**
   * Makes a cache of others.
   *
   * @param pick picks the cache for a request, once when a client asks for a type, and again when it asks for other
   * names; undefined if none serves it
   */
  constructor(
    pick: (request: WatchRequest) => Cache | undefined,
    options: MuxCacheOptions = {},
  ) {
    this.#pick = pick;
    this.#unserved = options.unserved ?? "empty";
  }

  /** For the server. */
  watch(request: WatchRequest, sink: WatchSink): Watch {
    let cache = this.#cacheFor(request);
    let watch = cache.watch(request, sink);
    return {
      get sequencing() {
        return watch.sequencing;
      },
      get history() {
        return watch.history;
      },
      subscribed: () => {
        const picked = this.#cacheFor(request);
        if (picked === cache) {
          watch.subscribed?.();
          return;
        }
        const next = picked.watch(request, sink);
        watch[Symbol.dispose]();
        cache = picked;
        watch = next;
      },
      progress: (progress) => watch.progress?.(progress),
      [Symbol.dispose]: () => watch[Symbol.dispose](),
    };
  }

  #cacheFor(request: WatchRequest): Cache {
    const cache = this.#pick(request);
    if (!cache && this.#unserved === "empty") return nothingServed;
    if (!cache) {
      const { client, typeUrl, subscription } = request;
      const names = [
        ...subscription.wildcard ? ["*"] : [],
        ...subscription.names,
      ];
      const shown = names.slice(0, 5).join(", ") +
        (names.length > 5 ? `, … (${names.length})` : "");
      throw new RequestError(
        "not_found",
        `nothing here serves ${typeUrl} [${shown}] to node ${
          JSON.stringify(client.node.id)
        }`,
      );
    }
    return cache;
  }
}

const empty = new View(new Map());

/** Serves nothing, and says so. */
const nothingServed: Cache = {
  watch(_request, sink) {
    sink.unserved?.();
    sink.changed(empty);
    return { [Symbol.dispose]() {} };
  },
};
