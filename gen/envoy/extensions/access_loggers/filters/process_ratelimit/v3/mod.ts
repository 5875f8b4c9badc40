/**
 * Messages, enums and services of the proto package `envoy.extensions.access_loggers.filters.process_ratelimit.v3`.
 *
 * @module
 */
export * from "./process_ratelimit_pb.ts";
