/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.network.thrift_proxy.filters.ratelimit.v3`.
 *
 * @module
 */
export * from "./rate_limit_pb.ts";
