/**
 * Messages, enums and services of the proto package `envoy.extensions.common.aws.v3`.
 *
 * @module
 */
export * from "./credential_provider_pb.ts";
