/**
 * Messages, enums and services of the proto package `xds.type.matcher.v3`.
 *
 * @module
 */
export * from "./cel_pb.ts";
export * from "./domain_pb.ts";
export * from "./http_inputs_pb.ts";
export * from "./ip_pb.ts";
export * from "./matcher_pb.ts";
export * from "./range_pb.ts";
export * from "./regex_pb.ts";
export * from "./string_pb.ts";
