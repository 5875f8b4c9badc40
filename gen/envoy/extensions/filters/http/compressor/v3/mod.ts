/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.compressor.v3`.
 *
 * @module
 */
export * from "./compressor_pb.ts";
