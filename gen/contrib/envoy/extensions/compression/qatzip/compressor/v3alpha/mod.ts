/**
 * Messages, enums and services of the proto package `envoy.extensions.compression.qatzip.compressor.v3alpha`.
 *
 * @module
 */
export * from "./qatzip_pb.ts";
