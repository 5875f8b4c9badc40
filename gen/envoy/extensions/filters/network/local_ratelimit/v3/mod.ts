/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.network.local_ratelimit.v3`.
 *
 * @module
 */
export * from "./local_rate_limit_pb.ts";
