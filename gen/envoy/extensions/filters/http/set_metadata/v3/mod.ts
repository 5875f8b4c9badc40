/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.set_metadata.v3`.
 *
 * @module
 */
export * from "./set_metadata_pb.ts";
