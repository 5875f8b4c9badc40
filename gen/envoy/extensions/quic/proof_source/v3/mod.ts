/**
 * Messages, enums and services of the proto package `envoy.extensions.quic.proof_source.v3`.
 *
 * @module
 */
export * from "./proof_source_pb.ts";
