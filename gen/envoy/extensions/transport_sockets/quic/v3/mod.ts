/**
 * Messages, enums and services of the proto package `envoy.extensions.transport_sockets.quic.v3`.
 *
 * @module
 */
export * from "./quic_transport_pb.ts";
