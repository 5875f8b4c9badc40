/**
 * Messages, enums and services of the proto package `envoy.type.matcher.v3`.
 *
 * @module
 */
export * from "./address_pb.ts";
export * from "./filter_state_pb.ts";
export * from "./http_inputs_pb.ts";
export * from "./metadata_pb.ts";
export * from "./node_pb.ts";
export * from "./number_pb.ts";
export * from "./path_pb.ts";
export * from "./regex_pb.ts";
export * from "./status_code_input_pb.ts";
export * from "./string_pb.ts";
export * from "./struct_pb.ts";
export * from "./value_pb.ts";
