/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.network.tcp_proxy.v3`.
 *
 * @module
 */
export * from "./tcp_proxy_pb.ts";
