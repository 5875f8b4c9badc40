/**
 * Messages, enums and services of the proto package `envoy.extensions.local_address_selectors.filter_state_override.v3`.
 *
 * @module
 */
export * from "./config_pb.ts";
