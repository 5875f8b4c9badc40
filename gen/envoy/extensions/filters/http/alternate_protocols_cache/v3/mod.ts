/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.alternate_protocols_cache.v3`.
 *
 * @module
 */
export * from "./alternate_protocols_cache_pb.ts";
