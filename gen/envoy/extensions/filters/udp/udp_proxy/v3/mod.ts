/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.udp.udp_proxy.v3`.
 *
 * @module
 */
export * from "./route_pb.ts";
export * from "./udp_proxy_pb.ts";
