/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.csrf.v3`.
 *
 * @module
 */
export * from "./csrf_pb.ts";
