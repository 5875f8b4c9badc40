/**
 * Messages, enums and services of the proto package `envoy.extensions.quic.crypto_stream.v3`.
 *
 * @module
 */
export * from "./crypto_stream_pb.ts";
