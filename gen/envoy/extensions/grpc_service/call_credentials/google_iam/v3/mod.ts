/**
 * Messages, enums and services of the proto package `envoy.extensions.grpc_service.call_credentials.google_iam.v3`.
 *
 * @module
 */
export * from "./google_iam_credentials_pb.ts";
