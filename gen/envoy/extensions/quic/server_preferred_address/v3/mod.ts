/**
 * Messages, enums and services of the proto package `envoy.extensions.quic.server_preferred_address.v3`.
 *
 * @module
 */
export * from "./datasource_pb.ts";
export * from "./fixed_server_preferred_address_config_pb.ts";
