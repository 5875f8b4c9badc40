/**
 * Messages, enums and services of the proto package `envoy.extensions.transport_sockets.http_11_proxy.v3`.
 *
 * @module
 */
export * from "./upstream_http_11_connect_pb.ts";
