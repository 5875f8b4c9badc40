/**
 * Messages, enums and services of the proto package `envoy.extensions.transport_sockets.tcp_stats.v3`.
 *
 * @module
 */
export * from "./tcp_stats_pb.ts";
