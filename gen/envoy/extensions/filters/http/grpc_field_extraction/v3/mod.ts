/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.grpc_field_extraction.v3`.
 *
 * @module
 */
export * from "./config_pb.ts";
