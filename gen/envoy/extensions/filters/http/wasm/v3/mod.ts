/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.wasm.v3`.
 *
 * @module
 */
export * from "./wasm_pb.ts";
