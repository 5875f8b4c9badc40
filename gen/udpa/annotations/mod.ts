/**
 * Messages, enums and services of the proto package `udpa.annotations`.
 *
 * @module
 */
export * from "./migrate_pb.ts";
export * from "./security_pb.ts";
export * from "./sensitive_pb.ts";
export * from "./status_pb.ts";
export * from "./versioning_pb.ts";
