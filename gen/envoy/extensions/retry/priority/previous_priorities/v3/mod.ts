/**
 * Messages, enums and services of the proto package `envoy.extensions.retry.priority.previous_priorities.v3`.
 *
 * @module
 */
export * from "./previous_priorities_config_pb.ts";
