/**
 * Messages, enums and services of the proto package `xds.service.orca.v3`.
 *
 * @module
 */
export * from "./orca_pb.ts";
