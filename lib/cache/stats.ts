/** How much there is in a cache of one type, and how many ask for it. */
export interface TypeStats {
  /** Resources that are served; with several groups, the sum of theirs. */
  readonly resources: number;
  /** Watches: one for each client that asks for the type. */
  readonly watches: number;
  /** Watches of which something waits: for their client to request or acknowledge something, or for time to pass. */
  readonly blocked: number;
  /** Resources that are not served, since they break a rule of Envoy's protos. */
  readonly quarantined: number;
}

/** How much there is in a cache, and how many ask for it. */
export interface CacheStats {
  /**
   * Watches whose client has not answered the newest; undefined where the cache does not know (a `LinearCache` without
   * an observer, an `OnDemandCache`).
   */
  readonly unsettled: number | undefined;
  /** By type URL: the types that there are resources of, or that somebody asks for. */
  readonly types: ReadonlyMap<string, TypeStats>;
}

/** A cache that can be counted. */
export interface Countable {
  /** How much there is, and how many ask for it. */
  stats(): CacheStats;
}

/** Adds up what is counted of each type. */
export class TypeCounts {
  readonly #types = new Map<
    string,
    { -readonly [field in keyof TypeStats]: TypeStats[field] }
  >();

  /** Adds to a count of a type. */
  add(typeUrl: string, field: keyof TypeStats, count: number) {
    if (count === 0) return;
    let stats = this.#types.get(typeUrl);
    if (!stats) {
      stats = { resources: 0, watches: 0, blocked: 0, quarantined: 0 };
      this.#types.set(typeUrl, stats);
    }
    stats[field] += count;
  }

  /** What came out. */
  get types(): ReadonlyMap<string, TypeStats> {
    return this.#types;
  }
}
