/**
 * Messages, enums and services of the proto package `envoy.extensions.formatter.file_content.v3`.
 *
 * @module
 */
export * from "./file_content_pb.ts";
