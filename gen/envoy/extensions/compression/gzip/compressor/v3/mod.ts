/**
 * Messages, enums and services of the proto package `envoy.extensions.compression.gzip.compressor.v3`.
 *
 * @module
 */
export * from "./gzip_pb.ts";
