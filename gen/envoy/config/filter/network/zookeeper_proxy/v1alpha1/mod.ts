/**
 * Messages, enums and services of the proto package `envoy.config.filter.network.zookeeper_proxy.v1alpha1`.
 *
 * @module
 */
export * from "./zookeeper_proxy_pb.ts";
