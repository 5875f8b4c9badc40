/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.file_server.v3`.
 *
 * @module
 */
export * from "./file_server_pb.ts";
