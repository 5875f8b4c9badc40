/**
 * Messages, enums and services of the proto package `envoy.extensions.compression.zstd.compressor.v3`.
 *
 * @module
 */
export * from "./zstd_pb.ts";
