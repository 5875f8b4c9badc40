/**
 * Messages, enums and services of the proto package `envoy.extensions.quic.client_writer_factory.v3`.
 *
 * @module
 */
export * from "./default_client_writer_pb.ts";
