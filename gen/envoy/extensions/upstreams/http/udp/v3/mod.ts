/**
 * Messages, enums and services of the proto package `envoy.extensions.upstreams.http.udp.v3`.
 *
 * @module
 */
export * from "./udp_connection_pool_pb.ts";
