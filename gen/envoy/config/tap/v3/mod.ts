/**
 * Messages, enums and services of the proto package `envoy.config.tap.v3`.
 *
 * @module
 */
export * from "./common_pb.ts";
