/**
 * Messages, enums and services of the proto package `envoy.service.runtime.v3`.
 *
 * @module
 */
export * from "./rtds_pb.ts";
