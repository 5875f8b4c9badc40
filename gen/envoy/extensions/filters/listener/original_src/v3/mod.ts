/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.listener.original_src.v3`.
 *
 * @module
 */
export * from "./original_src_pb.ts";
