/**
 * Messages, enums and services of the proto package `envoy.extensions.transport_sockets.alts.v3`.
 *
 * @module
 */
export * from "./alts_pb.ts";
