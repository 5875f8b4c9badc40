/**
 * Messages, enums and services of the proto package `istio.workload`.
 *
 * @module
 */
export * from "./discovery_pb.ts";
export * from "./extension_pb.ts";
