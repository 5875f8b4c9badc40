/**
 * Messages, enums and services of the proto package `envoy.data.accesslog.v3`.
 *
 * @module
 */
export * from "./accesslog_pb.ts";
