/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.listener.proxy_protocol.v3`.
 *
 * @module
 */
export * from "./proxy_protocol_pb.ts";
