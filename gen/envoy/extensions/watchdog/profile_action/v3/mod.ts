/**
 * Messages, enums and services of the proto package `envoy.extensions.watchdog.profile_action.v3`.
 *
 * @module
 */
export * from "./profile_action_pb.ts";
