/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.sse_to_metadata.v3`.
 *
 * @module
 */
export * from "./sse_to_metadata_pb.ts";
