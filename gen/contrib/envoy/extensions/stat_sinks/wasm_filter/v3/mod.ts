/**
 * Messages, enums and services of the proto package `envoy.extensions.stat_sinks.wasm_filter.v3`.
 *
 * @module
 */
export * from "./wasm_filter_pb.ts";
