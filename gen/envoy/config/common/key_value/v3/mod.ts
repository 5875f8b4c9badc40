/**
 * Messages, enums and services of the proto package `envoy.config.common.key_value.v3`.
 *
 * @module
 */
export * from "./config_pb.ts";
