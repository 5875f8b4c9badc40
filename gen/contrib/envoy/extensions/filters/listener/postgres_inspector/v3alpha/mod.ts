/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.listener.postgres_inspector.v3alpha`.
 *
 * @module
 */
export * from "./postgres_inspector_pb.ts";
