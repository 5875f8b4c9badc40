/**
 * Messages, enums and services of the proto package `envoy.service.cluster.v3`.
 *
 * @module
 */
export * from "./cds_pb.ts";
