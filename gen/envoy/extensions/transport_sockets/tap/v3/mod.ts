/**
 * Messages, enums and services of the proto package `envoy.extensions.transport_sockets.tap.v3`.
 *
 * @module
 */
export * from "./tap_pb.ts";
