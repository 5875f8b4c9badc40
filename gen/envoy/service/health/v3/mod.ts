/**
 * Messages, enums and services of the proto package `envoy.service.health.v3`.
 *
 * @module
 */
export * from "./hds_pb.ts";
