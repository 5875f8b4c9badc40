/**
 * Messages, enums and services of the proto package `envoy.extensions.transport_sockets.proxy_protocol.v3`.
 *
 * @module
 */
export * from "./upstream_proxy_protocol_pb.ts";
