/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.body_size_limit.v3`.
 *
 * @module
 */
export * from "./body_size_limit_pb.ts";
