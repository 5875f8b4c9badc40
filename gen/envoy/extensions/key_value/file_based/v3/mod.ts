/**
 * Messages, enums and services of the proto package `envoy.extensions.key_value.file_based.v3`.
 *
 * @module
 */
export * from "./config_pb.ts";
