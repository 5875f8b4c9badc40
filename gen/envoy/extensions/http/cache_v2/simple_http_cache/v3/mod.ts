/**
 * Messages, enums and services of the proto package `envoy.extensions.http.cache_v2.simple_http_cache.v3`.
 *
 * @module
 */
export * from "./config_pb.ts";
