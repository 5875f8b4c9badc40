/**
 * Messages, enums and services of the proto package `envoy.extensions.grpc_service.call_credentials.service_account_jwt_access.v3`.
 *
 * @module
 */
export * from "./service_account_jwt_access_credentials_pb.ts";
