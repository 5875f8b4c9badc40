/**
 * Messages, enums and services of the proto package `envoy.extensions.outlier_detection_monitors.consecutive_errors.v3`.
 *
 * @module
 */
export * from "./consecutive_errors_pb.ts";
