/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.listener.http_inspector.v3`.
 *
 * @module
 */
export * from "./http_inspector_pb.ts";
