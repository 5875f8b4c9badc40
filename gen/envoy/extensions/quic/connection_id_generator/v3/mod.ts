/**
 * Messages, enums and services of the proto package `envoy.extensions.quic.connection_id_generator.v3`.
 *
 * @module
 */
export * from "./envoy_deterministic_connection_id_generator_pb.ts";
