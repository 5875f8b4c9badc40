/**
 * Messages, enums and services of the proto package `envoy.data.tap.v3`.
 *
 * @module
 */
export * from "./common_pb.ts";
export * from "./http_pb.ts";
export * from "./transport_pb.ts";
export * from "./wrapper_pb.ts";
