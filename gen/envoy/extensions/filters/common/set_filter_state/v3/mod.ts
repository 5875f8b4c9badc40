/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.common.set_filter_state.v3`.
 *
 * @module
 */
export * from "./value_pb.ts";
