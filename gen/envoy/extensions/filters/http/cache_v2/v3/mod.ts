/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.cache_v2.v3`.
 *
 * @module
 */
export * from "./cache_pb.ts";
