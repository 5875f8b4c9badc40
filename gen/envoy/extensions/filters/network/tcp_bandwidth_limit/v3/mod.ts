/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.network.tcp_bandwidth_limit.v3`.
 *
 * @module
 */
export * from "./tcp_bandwidth_limit_pb.ts";
