/**
 * Messages, enums and services of the proto package `envoy.extensions.reverse_tunnel_reporters.v3alpha.reporters`.
 *
 * @module
 */
export * from "./event_reporter_pb.ts";
