/**
 * Messages, enums and services of the proto package `envoy.extensions.tap_sinks.udp_sink.v3alpha`.
 *
 * @module
 */
export * from "./udp_sink_pb.ts";
