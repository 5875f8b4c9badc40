/**
 * Messages, enums and services of the proto package `envoy.type.matcher`.
 *
 * @module
 */
export * from "./metadata_pb.ts";
export * from "./node_pb.ts";
export * from "./number_pb.ts";
export * from "./path_pb.ts";
export * from "./regex_pb.ts";
export * from "./string_pb.ts";
export * from "./struct_pb.ts";
export * from "./value_pb.ts";
