/**
 * Messages, enums and services of the proto package `envoy.config.listener.v3`.
 *
 * @module
 */
export * from "./api_listener_pb.ts";
export * from "./listener_components_pb.ts";
export * from "./listener_pb.ts";
export * from "./quic_config_pb.ts";
export * from "./udp_listener_config_pb.ts";
