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
