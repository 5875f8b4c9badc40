/**
 * Messages, enums and services of the proto package `envoy.extensions.upstreams.http.generic.v3`.
 *
 * @module
 */
export * from "./generic_connection_pool_pb.ts";
