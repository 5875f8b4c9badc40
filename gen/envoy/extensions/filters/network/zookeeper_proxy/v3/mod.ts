/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.network.zookeeper_proxy.v3`.
 *
 * @module
 */
export * from "./zookeeper_proxy_pb.ts";
