/**
 * Messages, enums and services of the proto package `envoy.extensions.transport_sockets.tls.cert_selectors.on_demand_secret.v3`.
 *
 * @module
 */
export * from "./config_pb.ts";
