/**
 * Messages, enums and services of the proto package `envoy.service.tap.v3`.
 *
 * @module
 */
export * from "./tap_pb.ts";
