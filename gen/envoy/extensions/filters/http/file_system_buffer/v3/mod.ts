/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.file_system_buffer.v3`.
 *
 * @module
 */
export * from "./file_system_buffer_pb.ts";
