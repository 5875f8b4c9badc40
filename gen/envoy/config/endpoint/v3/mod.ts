/**
 * Messages, enums and services of the proto package `envoy.config.endpoint.v3`.
 *
 * @module
 */
export * from "./endpoint_components_pb.ts";
export * from "./endpoint_pb.ts";
export * from "./load_report_pb.ts";
