/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.header_to_metadata.v3`.
 *
 * @module
 */
export * from "./header_to_metadata_pb.ts";
