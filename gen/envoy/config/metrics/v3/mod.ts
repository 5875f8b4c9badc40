/**
 * Messages, enums and services of the proto package `envoy.config.metrics.v3`.
 *
 * @module
 */
export * from "./metrics_service_pb.ts";
export * from "./stats_pb.ts";
