/**
 * Messages, enums and services of the proto package `envoy.extensions.http.cache.simple_http_cache.v3`.
 *
 * @module
 */
export * from "./config_pb.ts";
