/**
 * Messages, enums and services of the proto package `envoy.type.v3`.
 *
 * @module
 */
export * from "./hash_policy_pb.ts";
export * from "./http_pb.ts";
export * from "./http_status_pb.ts";
export * from "./percent_pb.ts";
export * from "./range_pb.ts";
export * from "./ratelimit_strategy_pb.ts";
export * from "./ratelimit_unit_pb.ts";
export * from "./scope_pb.ts";
export * from "./semantic_version_pb.ts";
export * from "./token_bucket_pb.ts";
