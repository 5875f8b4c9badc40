/**
 * Messages, enums and services of the proto package `envoy.extensions.internal_redirect.filter_state.v3`.
 *
 * @module
 */
export * from "./filter_state_config_pb.ts";
