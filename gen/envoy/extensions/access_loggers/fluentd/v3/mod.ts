/**
 * Messages, enums and services of the proto package `envoy.extensions.access_loggers.fluentd.v3`.
 *
 * @module
 */
export * from "./fluentd_pb.ts";
