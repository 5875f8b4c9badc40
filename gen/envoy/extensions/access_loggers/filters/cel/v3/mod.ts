/**
 * Messages, enums and services of the proto package `envoy.extensions.access_loggers.filters.cel.v3`.
 *
 * @module
 */
export * from "./cel_pb.ts";
