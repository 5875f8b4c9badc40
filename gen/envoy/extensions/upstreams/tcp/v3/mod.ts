/**
 * Messages, enums and services of the proto package `envoy.extensions.upstreams.tcp.v3`.
 *
 * @module
 */
export * from "./tcp_protocol_options_pb.ts";
