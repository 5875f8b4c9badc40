/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.network.rocketmq_proxy.v3`.
 *
 * @module
 */
export * from "./rocketmq_proxy_pb.ts";
export * from "./route_pb.ts";
