import { TypeUrl } from "./type_url.ts";

/**
 * How state-of-the-world responses of a type are composed.
 *
 * - `"full"`: each response lists every resource that the client is to have; leaving one out removes it
 * - `"complete"`: each response lists every requested resource, but leaving one out removes nothing, so that no response
 *   is sent merely to omit something
 * - `"partial"`: a response lists only what changed or was newly requested
 *
 * @see https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#grouping-resources-into-responses
 */
export type Composition = "full" | "complete" | "partial";

/** What the protocol needs to know of a resource type. */
export interface ResourceTypeTraits {
  /** Its place in the order in which a stream sends what is ready. Types outside the order share the last place. */
  readonly rank: number;
  /** How its state-of-the-world responses are composed. */
  readonly composition: Composition;
  /** Whether a first request without names asks for everything unless an option says otherwise. */
  readonly legacyWildcard: boolean;
  /**
   * Whether its resources send traffic to clusters, so that an update waits for the clusters and endpoints that it
   * refers to.
   */
  readonly routes: boolean;
  /**
   * Types whose resources refer to those of this type and carry traffic to them. A resource is removed only after the
   * client acknowledged that none of these refers to it.
   */
  readonly dependents: readonly string[];
  /** Whether an Envoy goes on serving existing connections from a replaced resource until its drain time is over. */
  readonly drains: boolean;
  /** Whether a client requests its resources as soon as it has received what refers to them. */
  readonly followsReferences: boolean;
  /** Whether its content must not appear in logs, events or status pages. */
  readonly secret: boolean;
}

const LAST = 4;

const other: ResourceTypeTraits = {
  rank: LAST,
  composition: "full",
  legacyWildcard: false,
  routes: false,
  dependents: [],
  drains: false,
  followsReferences: true,
  secret: false,
};

/** Types whose resources send traffic to clusters. */
const routing: readonly string[] = [
  TypeUrl.Listener,
  TypeUrl.RouteConfiguration,
  TypeUrl.ScopedRouteConfiguration,
  TypeUrl.VirtualHost,
  TypeUrl.ThriftRouteConfiguration,
  TypeUrl.TypedExtensionConfig,
];

/** One row for each type that has traits of its own; {@linkcode traitsOf} gives the others' traits. */
const rows: Readonly<Record<string, Partial<ResourceTypeTraits>>> = {
  [TypeUrl.Cluster]: {
    rank: 0,
    legacyWildcard: true,
    dependents: routing,
    // A client that requests clusters by name requests those that it has traffic for, later.
    followsReferences: false,
  },
  [TypeUrl.ClusterLoadAssignment]: {
    rank: 1,
    composition: "partial",
    dependents: [TypeUrl.Cluster],
  },
  [TypeUrl.Listener]: {
    rank: 2,
    legacyWildcard: true,
    routes: true,
    drains: true,
  },
  [TypeUrl.RouteConfiguration]: {
    rank: 3,
    composition: "partial",
    routes: true,
    dependents: [TypeUrl.Listener, TypeUrl.ScopedRouteConfiguration],
  },
  [TypeUrl.ScopedRouteConfiguration]: {
    legacyWildcard: true,
    routes: true,
    dependents: [TypeUrl.Listener],
  },
  [TypeUrl.VirtualHost]: {
    composition: "partial",
    // An Envoy opens VHDS without names, and expects what its routes begin with.
    legacyWildcard: true,
    routes: true,
  },
  [TypeUrl.ThriftRouteConfiguration]: {
    composition: "partial",
    routes: true,
    dependents: [TypeUrl.Listener],
  },
  [TypeUrl.TypedExtensionConfig]: {
    composition: "complete",
    routes: true,
    drains: true,
    dependents: [TypeUrl.Listener, TypeUrl.RouteConfiguration],
  },
  [TypeUrl.Secret]: {
    composition: "complete",
    dependents: [TypeUrl.Cluster, TypeUrl.Listener],
    secret: true,
  },
  [TypeUrl.Runtime]: { composition: "complete" },
};

const table = new Map<string, ResourceTypeTraits>(
  Object.entries(rows).map(([typeUrl, row]) => [typeUrl, { ...other, ...row }]),
);

/** The traits of a resource type; a type of the user's own has those of a type that stands alone. */
export function traitsOf(typeUrl: string): ResourceTypeTraits {
  return table.get(typeUrl) ?? other;
}
