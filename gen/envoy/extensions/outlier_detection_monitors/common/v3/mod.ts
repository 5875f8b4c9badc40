/**
 * Messages, enums and services of the proto package `envoy.extensions.outlier_detection_monitors.common.v3`.
 *
 * @module
 */
export * from "./error_types_pb.ts";
