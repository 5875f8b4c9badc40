/**
 * Messages, enums and services of the proto package `envoy.extensions.http.ai_filters.schema_validation.v3`.
 *
 * @module
 */
export * from "./schema_validation_pb.ts";
