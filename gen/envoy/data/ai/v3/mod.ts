/**
 * Messages, enums and services of the proto package `envoy.data.ai.v3`.
 *
 * @module
 */
export * from "./request_info_pb.ts";
export * from "./token_usage_pb.ts";
