/**
 * Messages, enums and services of the proto package `envoy.service.status.v3`.
 *
 * @module
 */
export * from "./csds_pb.ts";
