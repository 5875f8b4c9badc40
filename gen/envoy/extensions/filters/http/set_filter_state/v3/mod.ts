/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.set_filter_state.v3`.
 *
 * @module
 */
export * from "./set_filter_state_pb.ts";
