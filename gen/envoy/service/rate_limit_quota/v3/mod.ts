/**
 * Messages, enums and services of the proto package `envoy.service.rate_limit_quota.v3`.
 *
 * @module
 */
export * from "./rlqs_pb.ts";
