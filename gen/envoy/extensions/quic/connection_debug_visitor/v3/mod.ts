/**
 * Messages, enums and services of the proto package `envoy.extensions.quic.connection_debug_visitor.v3`.
 *
 * @module
 */
export * from "./connection_debug_visitor_basic_pb.ts";
