/**
 * Messages, enums and services of the proto package `envoy.extensions.grpc_service.channel_credentials.local.v3`.
 *
 * @module
 */
export * from "./local_credentials_pb.ts";
