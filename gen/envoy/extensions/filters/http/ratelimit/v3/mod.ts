/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.ratelimit.v3`.
 *
 * @module
 */
export * from "./rate_limit_pb.ts";
