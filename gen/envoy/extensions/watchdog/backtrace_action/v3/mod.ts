/**
 * Messages, enums and services of the proto package `envoy.extensions.watchdog.backtrace_action.v3`.
 *
 * @module
 */
export * from "./backtrace_action_pb.ts";
