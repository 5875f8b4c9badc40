/**
 * Messages, enums and services of the proto package `envoy.extensions.transport_sockets.tls.cert_mappers.filter_state_override.v3`.
 *
 * @module
 */
export * from "./config_pb.ts";
