/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.rate_limit_quota.v3`.
 *
 * @module
 */
export * from "./rate_limit_quota_pb.ts";
