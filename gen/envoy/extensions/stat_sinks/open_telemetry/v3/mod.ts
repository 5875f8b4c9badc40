/**
 * Messages, enums and services of the proto package `envoy.extensions.stat_sinks.open_telemetry.v3`.
 *
 * @module
 */
export * from "./open_telemetry_pb.ts";
