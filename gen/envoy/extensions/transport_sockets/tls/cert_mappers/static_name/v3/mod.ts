/**
 * Messages, enums and services of the proto package `envoy.extensions.transport_sockets.tls.cert_mappers.static_name.v3`.
 *
 * @module
 */
export * from "./config_pb.ts";
