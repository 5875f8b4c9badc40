/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.network.redis_proxy.v3`.
 *
 * @module
 */
export * from "./redis_proxy_pb.ts";
