/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.json_to_metadata.v3`.
 *
 * @module
 */
export * from "./json_to_metadata_pb.ts";
