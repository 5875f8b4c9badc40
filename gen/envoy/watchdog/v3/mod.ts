/**
 * Messages, enums and services of the proto package `envoy.watchdog.v3`.
 *
 * @module
 */
export * from "./abort_action_pb.ts";
