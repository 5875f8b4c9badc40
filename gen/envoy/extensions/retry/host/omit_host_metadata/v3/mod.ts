/**
 * Messages, enums and services of the proto package `envoy.extensions.retry.host.omit_host_metadata.v3`.
 *
 * @module
 */
export * from "./omit_host_metadata_config_pb.ts";
