/**
 * Messages, enums and services of the proto package `envoy.extensions.access_loggers.stream.v3`.
 *
 * @module
 */
export * from "./stream_pb.ts";
