/**
 * Messages, enums and services of the proto package `envoy.annotations`.
 *
 * @module
 */
export * from "./deprecation_pb.ts";
export * from "./resource_pb.ts";
