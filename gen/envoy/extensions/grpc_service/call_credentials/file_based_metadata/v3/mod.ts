/**
 * Messages, enums and services of the proto package `envoy.extensions.grpc_service.call_credentials.file_based_metadata.v3`.
 *
 * @module
 */
export * from "./file_based_metadata_credentials_pb.ts";
