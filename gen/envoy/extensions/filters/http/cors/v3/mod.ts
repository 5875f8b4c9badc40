/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.cors.v3`.
 *
 * @module
 */
export * from "./cors_pb.ts";
