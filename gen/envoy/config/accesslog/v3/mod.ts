/**
 * Messages, enums and services of the proto package `envoy.config.accesslog.v3`.
 *
 * @module
 */
export * from "./accesslog_pb.ts";
