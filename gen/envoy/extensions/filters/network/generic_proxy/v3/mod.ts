/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.network.generic_proxy.v3`.
 *
 * @module
 */
export * from "./generic_proxy_pb.ts";
export * from "./route_pb.ts";
