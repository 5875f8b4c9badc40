/**
 * Messages, enums and services of the proto package `envoy.service.metrics.v3`.
 *
 * @module
 */
export * from "./metrics_service_pb.ts";
