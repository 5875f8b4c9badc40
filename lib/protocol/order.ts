import { TypeUrl } from "../resource/mod.ts";

/**
 * The order in which a stream sends what is ready of several types: what others refer to comes first.
 *
 * @see https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#eventual-consistency-considerations
 */
const order: readonly string[] = [
  TypeUrl.Cluster,
  TypeUrl.ClusterLoadAssignment,
  TypeUrl.Listener,
  TypeUrl.RouteConfiguration,
];

/** A type's place in the order; types that have none come last. */
export function rank(typeUrl: string): number {
  const place = order.indexOf(typeUrl);
  return place < 0 ? order.length : place;
}

/** Types whose resources send traffic to clusters. */
const routing: readonly string[] = [
  TypeUrl.Listener,
  TypeUrl.RouteConfiguration,
  TypeUrl.ScopedRouteConfiguration,
  TypeUrl.VirtualHost,
  TypeUrl.ThriftRouteConfiguration,
  TypeUrl.TypedExtensionConfig,
];

const clusters: readonly string[] = [
  TypeUrl.Cluster,
  TypeUrl.ClusterLoadAssignment,
];

const dependents: ReadonlyMap<string, readonly string[]> = new Map([
  [TypeUrl.Cluster, routing],
  [TypeUrl.ClusterLoadAssignment, routing],
  [TypeUrl.RouteConfiguration, [
    TypeUrl.Listener,
    TypeUrl.ScopedRouteConfiguration,
  ]],
  [TypeUrl.ThriftRouteConfiguration, [TypeUrl.Listener]],
  [TypeUrl.TypedExtensionConfig, [
    TypeUrl.Listener,
    TypeUrl.RouteConfiguration,
  ]],
  [TypeUrl.Secret, [TypeUrl.Cluster, TypeUrl.Listener]],
]);

/** Make: types that a client has to have taken before it is sent anything of this one. */
export function prerequisitesOf(typeUrl: string): readonly string[] {
  return routing.includes(typeUrl) ? clusters : [];
}

/** Before break: types that a client has to have taken before anything of this one is removed. */
export function dependentsOf(typeUrl: string): readonly string[] {
  return dependents.get(typeUrl) ?? [];
}

/**
 * Types of which a state-of-the-world response may hold only what changed. A response of any other type holds all that
 * the client wants of it, since clients take a resource that is left out for one that was removed, or for an error.
 */
const partial: ReadonlySet<string> = new Set([
  TypeUrl.ClusterLoadAssignment,
  TypeUrl.RouteConfiguration,
  TypeUrl.ThriftRouteConfiguration,
  TypeUrl.VirtualHost,
]);

/** Whether a state-of-the-world response of the type holds all that the client wants of it. */
export function isFullState(typeUrl: string): boolean {
  return !partial.has(typeUrl);
}
