/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.cdn_loop.v3`.
 *
 * @module
 */
export * from "./cdn_loop_pb.ts";
