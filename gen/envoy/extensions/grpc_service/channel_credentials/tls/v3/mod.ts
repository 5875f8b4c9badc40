/**
 * Messages, enums and services of the proto package `envoy.extensions.grpc_service.channel_credentials.tls.v3`.
 *
 * @module
 */
export * from "./tls_credentials_pb.ts";
