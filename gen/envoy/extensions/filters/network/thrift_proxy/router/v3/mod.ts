/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.network.thrift_proxy.router.v3`.
 *
 * @module
 */
export * from "./router_pb.ts";
