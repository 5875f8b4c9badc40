/**
 * Messages, enums and services of the proto package `envoy.config.overload.v3`.
 *
 * @module
 */
export * from "./overload_pb.ts";
