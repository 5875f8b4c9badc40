/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.network.reverse_tunnel.v3`.
 *
 * @module
 */
export * from "./drain_aware_hcm_pb.ts";
export * from "./reverse_tunnel_pb.ts";
