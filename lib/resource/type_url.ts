import type { DescMessage } from "@bufbuild/protobuf";

/**
 * Type URLs of the v3 resource types, by the short name of their message.
 *
 * @example Picking the clusters of a snapshot
 * ```ts
 * import { createSnapshot, TypeUrl } from "@xds/control-plane";
 * import { ClusterSchema } from "@xds/envoy/envoy/config/cluster/v3";
 * import { create } from "@bufbuild/protobuf";
 * import { assertEquals } from "@std/assert";
 *
 * const snapshot = createSnapshot({ resources: [create(ClusterSchema, { name: "users" })] });
 * assertEquals([...snapshot.resources(TypeUrl.Cluster).keys()], ["users"]);
 * ```
 */
export const TypeUrl = {
  Cluster: "type.googleapis.com/envoy.config.cluster.v3.Cluster",
  ClusterLoadAssignment:
    "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment",
  Listener: "type.googleapis.com/envoy.config.listener.v3.Listener",
  RouteConfiguration:
    "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
  ScopedRouteConfiguration:
    "type.googleapis.com/envoy.config.route.v3.ScopedRouteConfiguration",
  VirtualHost: "type.googleapis.com/envoy.config.route.v3.VirtualHost",
  Secret:
    "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret",
  Runtime: "type.googleapis.com/envoy.service.runtime.v3.Runtime",
  TypedExtensionConfig:
    "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig",
  RateLimitConfig:
    "type.googleapis.com/ratelimit.config.ratelimit.v3.RateLimitConfig",
  ThriftRouteConfiguration:
    "type.googleapis.com/envoy.extensions.filters.network.thrift_proxy.v3.RouteConfiguration",
} as const;

/**
 * The type URL of a message type: `type.googleapis.com/` and its full name.
 *
 * @example
 * ```ts
 * import { typeUrl } from "@xds/control-plane";
 * import { ClusterSchema } from "@xds/envoy/envoy/config/cluster/v3";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(typeUrl(ClusterSchema), "type.googleapis.com/envoy.config.cluster.v3.Cluster");
 * ```
 */
export function typeUrl(schema: DescMessage): string {
  let typeUrl = typeUrls.get(schema);
  if (typeUrl === undefined) {
    typeUrls.set(schema, typeUrl = `type.googleapis.com/${schema.typeName}`);
  }
  return typeUrl;
}

/** One text for all resources of a type, which is compared faster and lies in memory once. */
const typeUrls = new WeakMap<DescMessage, string>();

/** The full name of the message that a type URL stands for: what follows its last slash. */
export function typeName(typeUrl: string): string {
  return typeUrl.slice(typeUrl.lastIndexOf("/") + 1);
}

/** The last part of a type URL, as people say it: `Cluster`. */
export function shortName(typeUrl: string): string {
  return typeUrl.slice(
    Math.max(typeUrl.lastIndexOf("."), typeUrl.lastIndexOf("/")) + 1,
  );
}
