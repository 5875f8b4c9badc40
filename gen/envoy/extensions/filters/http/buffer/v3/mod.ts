/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.buffer.v3`.
 *
 * @module
 */
export * from "./buffer_pb.ts";
