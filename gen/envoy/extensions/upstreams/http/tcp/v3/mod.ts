/**
 * Messages, enums and services of the proto package `envoy.extensions.upstreams.http.tcp.v3`.
 *
 * @module
 */
export * from "./tcp_connection_pool_pb.ts";
