/**
 * Messages, enums and services of the proto package `envoy.type`.
 *
 * @module
 */
export * from "./hash_policy_pb.ts";
export * from "./http_pb.ts";
export * from "./http_status_pb.ts";
export * from "./percent_pb.ts";
export * from "./range_pb.ts";
export * from "./semantic_version_pb.ts";
export * from "./token_bucket_pb.ts";
