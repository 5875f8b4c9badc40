/**
 * Messages, enums and services of the proto package `envoy.extensions.access_loggers.wasm.v3`.
 *
 * @module
 */
export * from "./wasm_pb.ts";
