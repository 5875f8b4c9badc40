/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.proto_message_extraction.v3`.
 *
 * @module
 */
export * from "./config_pb.ts";
