/**
 * Messages, enums and services of the proto package `envoy.extensions.grpc_service.channel_credentials.google_default.v3`.
 *
 * @module
 */
export * from "./google_default_credentials_pb.ts";
