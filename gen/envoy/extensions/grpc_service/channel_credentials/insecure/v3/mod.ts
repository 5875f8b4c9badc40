/**
 * Messages, enums and services of the proto package `envoy.extensions.grpc_service.channel_credentials.insecure.v3`.
 *
 * @module
 */
export * from "./insecure_credentials_pb.ts";
