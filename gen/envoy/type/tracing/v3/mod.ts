/**
 * Messages, enums and services of the proto package `envoy.type.tracing.v3`.
 *
 * @module
 */
export * from "./custom_tag_pb.ts";
