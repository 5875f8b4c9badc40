/**
 * Messages, enums and services of the proto package `envoy.config.bootstrap.v3`.
 *
 * @module
 */
export * from "./bootstrap_pb.ts";
