/**
 * Messages, enums and services of the proto package `envoy.extensions.access_loggers.open_telemetry.v3`.
 *
 * @module
 */
export * from "./logs_service_pb.ts";
