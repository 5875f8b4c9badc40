/**
 * Messages, enums and services of the proto package `envoy.data.cluster.v3`.
 *
 * @module
 */
export * from "./outlier_detection_event_pb.ts";
