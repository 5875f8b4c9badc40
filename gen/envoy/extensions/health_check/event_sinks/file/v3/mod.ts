/**
 * Messages, enums and services of the proto package `envoy.extensions.health_check.event_sinks.file.v3`.
 *
 * @module
 */
export * from "./file_pb.ts";
