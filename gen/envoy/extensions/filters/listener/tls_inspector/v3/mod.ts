/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.listener.tls_inspector.v3`.
 *
 * @module
 */
export * from "./tls_inspector_pb.ts";
