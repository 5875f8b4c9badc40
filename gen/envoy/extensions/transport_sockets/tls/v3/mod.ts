/**
 * Messages, enums and services of the proto package `envoy.extensions.transport_sockets.tls.v3`.
 *
 * @module
 */
export * from "./cert_pb.ts";
export * from "./common_pb.ts";
export * from "./secret_pb.ts";
export * from "./tls_pb.ts";
export * from "./tls_spiffe_validator_config_pb.ts";
