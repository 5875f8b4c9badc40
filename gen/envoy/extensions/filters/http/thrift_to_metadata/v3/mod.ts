/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.thrift_to_metadata.v3`.
 *
 * @module
 */
export * from "./thrift_to_metadata_pb.ts";
