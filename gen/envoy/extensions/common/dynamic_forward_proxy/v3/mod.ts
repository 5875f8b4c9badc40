/**
 * Messages, enums and services of the proto package `envoy.extensions.common.dynamic_forward_proxy.v3`.
 *
 * @module
 */
export * from "./dns_cache_pb.ts";
