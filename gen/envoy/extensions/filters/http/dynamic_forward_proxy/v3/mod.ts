/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.dynamic_forward_proxy.v3`.
 *
 * @module
 */
export * from "./dynamic_forward_proxy_pb.ts";
