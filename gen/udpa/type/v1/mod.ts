/**
 * Messages, enums and services of the proto package `udpa.type.v1`.
 *
 * @module
 */
export * from "./typed_struct_pb.ts";
