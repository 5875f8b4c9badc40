/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.network.thrift_proxy.v3`.
 *
 * @module
 */
export * from "./route_pb.ts";
export * from "./thrift_proxy_pb.ts";
