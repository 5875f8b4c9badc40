/**
 * Messages, enums and services of the proto package `envoy.config.cluster.v3`.
 *
 * @module
 */
export * from "./circuit_breaker_pb.ts";
export * from "./cluster_pb.ts";
export * from "./filter_pb.ts";
export * from "./outlier_detection_pb.ts";
