/**
 * Messages, enums and services of the proto package `udpa.service.orca.v1`.
 *
 * @module
 */
export * from "./orca_pb.ts";
