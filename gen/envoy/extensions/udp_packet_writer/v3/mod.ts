/**
 * Messages, enums and services of the proto package `envoy.extensions.udp_packet_writer.v3`.
 *
 * @module
 */
export * from "./udp_default_writer_factory_pb.ts";
export * from "./udp_gso_batch_writer_factory_pb.ts";
