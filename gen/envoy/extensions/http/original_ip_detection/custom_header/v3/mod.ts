/**
 * Messages, enums and services of the proto package `envoy.extensions.http.original_ip_detection.custom_header.v3`.
 *
 * @module
 */
export * from "./custom_header_pb.ts";
