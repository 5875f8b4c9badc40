/**
 * Messages, enums and services of the proto package `envoy.extensions.grpc_service.call_credentials.sts_service.v3`.
 *
 * @module
 */
export * from "./sts_service_credentials_pb.ts";
