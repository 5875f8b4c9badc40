/**
 * Messages, enums and services of the proto package `envoy.extensions.transport_sockets.s2a.v3`.
 *
 * @module
 */
export * from "./s2a_pb.ts";
