/**
 * Messages, enums and services of the proto package `envoy.extensions.health_checkers.thrift.v3`.
 *
 * @module
 */
export * from "./thrift_pb.ts";
