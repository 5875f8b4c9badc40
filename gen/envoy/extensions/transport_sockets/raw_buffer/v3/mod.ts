/**
 * Messages, enums and services of the proto package `envoy.extensions.transport_sockets.raw_buffer.v3`.
 *
 * @module
 */
export * from "./raw_buffer_pb.ts";
