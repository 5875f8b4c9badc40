/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.network.mysql_proxy.v3`.
 *
 * @module
 */
export * from "./mysql_proxy_pb.ts";
