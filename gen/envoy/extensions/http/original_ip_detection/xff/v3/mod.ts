/**
 * Messages, enums and services of the proto package `envoy.extensions.http.original_ip_detection.xff.v3`.
 *
 * @module
 */
export * from "./xff_pb.ts";
