/**
 * Messages, enums and services of the proto package `envoy.extensions.compression.gzip.decompressor.v3`.
 *
 * @module
 */
export * from "./gzip_pb.ts";
