/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.common.matcher.action.v3`.
 *
 * @module
 */
export * from "./skip_action_pb.ts";
