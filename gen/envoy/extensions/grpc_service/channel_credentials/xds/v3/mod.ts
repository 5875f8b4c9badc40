/**
 * Messages, enums and services of the proto package `envoy.extensions.grpc_service.channel_credentials.xds.v3`.
 *
 * @module
 */
export * from "./xds_credentials_pb.ts";
