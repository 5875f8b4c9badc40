/**
 * Messages, enums and services of the proto package `envoy.extensions.compression.zstd.decompressor.v3`.
 *
 * @module
 */
export * from "./zstd_pb.ts";
