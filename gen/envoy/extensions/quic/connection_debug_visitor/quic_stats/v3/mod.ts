/**
 * Messages, enums and services of the proto package `envoy.extensions.quic.connection_debug_visitor.quic_stats.v3`.
 *
 * @module
 */
export * from "./quic_stats_pb.ts";
