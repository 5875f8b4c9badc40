/**
 * Messages, enums and services of the proto package `envoy.config.grpc_credential.v3`.
 *
 * @module
 */
export * from "./file_based_metadata_pb.ts";
