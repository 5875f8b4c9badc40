/**
 * Messages, enums and services of the proto package `envoy.extensions.grpc_service.call_credentials.google_refresh_token.v3`.
 *
 * @module
 */
export * from "./google_refresh_token_credentials_pb.ts";
