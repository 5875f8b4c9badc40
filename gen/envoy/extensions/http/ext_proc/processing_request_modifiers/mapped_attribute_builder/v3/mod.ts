/**
 * Messages, enums and services of the proto package `envoy.extensions.http.ext_proc.processing_request_modifiers.mapped_attribute_builder.v3`.
 *
 * @module
 */
export * from "./mapped_attribute_builder_pb.ts";
