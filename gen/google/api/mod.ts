/**
 * Messages, enums and services of the proto package `google.api`.
 *
 * @module
 */
export * from "./annotations_pb.ts";
export * from "./client_pb.ts";
export * from "./field_behavior_pb.ts";
export * from "./field_info_pb.ts";
export * from "./http_pb.ts";
export * from "./launch_stage_pb.ts";
export * from "./resource_pb.ts";
export * from "./routing_pb.ts";
