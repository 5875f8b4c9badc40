/**
 * Messages, enums and services of the proto package `envoy.extensions.quic.connection_id_generator.quic_lb.v3`.
 *
 * @module
 */
export * from "./quic_lb_pb.ts";
