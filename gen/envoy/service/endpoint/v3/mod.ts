/**
 * Messages, enums and services of the proto package `envoy.service.endpoint.v3`.
 *
 * @module
 */
export * from "./eds_pb.ts";
export * from "./leds_pb.ts";
