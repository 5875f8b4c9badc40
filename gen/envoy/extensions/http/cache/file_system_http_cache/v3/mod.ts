/**
 * Messages, enums and services of the proto package `envoy.extensions.http.cache.file_system_http_cache.v3`.
 *
 * @module
 */
export * from "./file_system_http_cache_pb.ts";
