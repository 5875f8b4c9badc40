/**
 * Messages, enums and services of the proto package `xds.data.orca.v3`.
 *
 * @module
 */
export * from "./orca_load_report_pb.ts";
