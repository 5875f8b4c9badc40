/**
 * Messages, enums and services of the proto package `envoy.extensions.upstreams.http.http.v3`.
 *
 * @module
 */
export * from "./http_connection_pool_pb.ts";
