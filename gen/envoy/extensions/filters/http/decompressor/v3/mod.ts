/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.decompressor.v3`.
 *
 * @module
 */
export * from "./decompressor_pb.ts";
