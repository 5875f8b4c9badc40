/**
 * The configuration that a snapshot is made of, in a few words. `stamp`s say in which round something last changed, and
 * can be read back from Envoy's configuration dump.
 */

/** The kinds of clusters. */
export const CLUSTER_KINDS = [
  "static",
  "strict_dns",
  "logical_dns",
  "eds",
  "eds_service",
] as const;

/** A cluster. */
export interface ClusterSpec {
  readonly kind: (typeof CLUSTER_KINDS)[number] | "aggregate";
  readonly stamp: number;
  /** Which of the two upstreams are its endpoints. */
  readonly upstreams: readonly (0 | 1)[];
  /** The name of its endpoints, if the kind is `eds_service`. */
  readonly service?: string;
  /** The clusters that it consists of, if the kind is `aggregate`. */
  readonly children?: readonly string[];
  /** The secret with the authority for TLS; no requests go to such a cluster. */
  readonly authority?: string;
}

/** How requests are routed. */
export interface RoutesSpec {
  /** The name for RDS; undefined if the routes are within the listener. */
  readonly name: string | undefined;
  readonly stamp: number;
  /** One cluster, or several by equal weights. */
  readonly clusters: readonly string[];
  /** The cluster that gets copies of the requests. */
  readonly mirror: string | undefined;
}

/** A listener for TLS whose certificate comes by SDS. */
export interface TlsSpec {
  readonly name: string;
  readonly stamp: number;
  readonly secret: string;
  /** Which certificate the secret holds. */
  readonly certificate: 0 | 1;
  /** The initial fetch timeout of the secret's config source, in seconds: a change of it changes nothing else. */
  readonly timeout: number;
  readonly cluster: string;
}

/** An HTTP filter by ECDS. */
export interface FilterSpec {
  readonly name: string;
  readonly stamp: number;
  /** The initial fetch timeout of its config source, in seconds. */
  readonly timeout: number;
}

/** A whole configuration. */
export interface World {
  readonly clusters: ReadonlyMap<string, ClusterSpec>;
  /** Clusters that stay although nothing refers to them. */
  readonly unused: ReadonlySet<string>;
  readonly routes: RoutesSpec;
  /** When the listener `web` last changed, except for its filter chain. */
  readonly listener: number;
  /** When its filter chain last changed. */
  readonly chain: number;
  /** A filter of the listener `web`. */
  readonly filter: FilterSpec | undefined;
  readonly tls: TlsSpec | undefined;
}

/** Where everything starts. */
export const START: World = {
  clusters: new Map([["c0", { kind: "eds", stamp: 0, upstreams: [0] }]]),
  unused: new Set(),
  routes: { name: "routes-0", stamp: 0, clusters: ["c0"], mirror: undefined },
  listener: 0,
  chain: 0,
  filter: undefined,
  tls: undefined,
};

/** The clusters that a world needs, those within aggregates included. */
export function usedClusters(world: World): Set<string> {
  const used = new Set([...world.routes.clusters, ...world.unused]);
  if (world.routes.mirror) used.add(world.routes.mirror);
  if (world.tls) used.add(world.tls.cluster);
  for (const name of [...used]) {
    for (const child of world.clusters.get(name)?.children ?? []) {
      used.add(child);
    }
  }
  return used;
}

/** A world without the clusters that it does not need. */
export function withoutUnused(world: World): World {
  const used = usedClusters(world);
  const clusters = [...world.clusters].filter(([name]) => used.has(name));
  return { ...world, clusters: new Map(clusters) };
}
