/**
 * Messages, enums and services of the proto package `envoy.extensions.stat_sinks.wasm.v3`.
 *
 * @module
 */
export * from "./wasm_pb.ts";
