/**
 * Messages, enums and services of the proto package `xds.type.v3`.
 *
 * @module
 */
export * from "./cel_pb.ts";
export * from "./range_pb.ts";
export * from "./typed_struct_pb.ts";
