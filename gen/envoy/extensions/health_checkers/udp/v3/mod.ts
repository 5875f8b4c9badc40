/**
 * Messages, enums and services of the proto package `envoy.extensions.health_checkers.udp.v3`.
 *
 * @module
 */
export * from "./udp_pb.ts";
