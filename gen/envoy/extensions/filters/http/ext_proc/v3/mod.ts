/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.ext_proc.v3`.
 *
 * @module
 */
export * from "./ext_proc_pb.ts";
export * from "./processing_mode_pb.ts";
