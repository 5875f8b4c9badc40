/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.composite.v3`.
 *
 * @module
 */
export * from "./composite_pb.ts";
