/**
 * Messages, enums and services of the proto package `envoy.extensions.compression.brotli.compressor.v3`.
 *
 * @module
 */
export * from "./brotli_pb.ts";
