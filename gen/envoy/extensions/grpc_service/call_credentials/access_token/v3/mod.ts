/**
 * Messages, enums and services of the proto package `envoy.extensions.grpc_service.call_credentials.access_token.v3`.
 *
 * @module
 */
export * from "./access_token_credentials_pb.ts";
