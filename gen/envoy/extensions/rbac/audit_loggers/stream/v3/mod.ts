/**
 * Messages, enums and services of the proto package `envoy.extensions.rbac.audit_loggers.stream.v3`.
 *
 * @module
 */
export * from "./stream_pb.ts";
