/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.network.dubbo_proxy.v3`.
 *
 * @module
 */
export * from "./dubbo_proxy_pb.ts";
export * from "./route_pb.ts";
