/**
 * Messages, enums and services of the proto package `envoy.config.filter.network.mysql_proxy.v1alpha1`.
 *
 * @module
 */
export * from "./mysql_proxy_pb.ts";
