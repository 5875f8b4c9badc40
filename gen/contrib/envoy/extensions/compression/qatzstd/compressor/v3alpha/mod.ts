/**
 * Messages, enums and services of the proto package `envoy.extensions.compression.qatzstd.compressor.v3alpha`.
 *
 * @module
 */
export * from "./qatzstd_pb.ts";
