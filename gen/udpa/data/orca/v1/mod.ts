/**
 * Messages, enums and services of the proto package `udpa.data.orca.v1`.
 *
 * @module
 */
export * from "./orca_load_report_pb.ts";
