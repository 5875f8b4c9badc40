/**
 * Messages, enums and services of the proto package `envoy.extensions.access_loggers.file.v3`.
 *
 * @module
 */
export * from "./file_pb.ts";
