/**
 * Messages, enums and services of the proto package `envoy.config.retry.previous_priorities`.
 *
 * @module
 */
export * from "./previous_priorities_config_pb.ts";
