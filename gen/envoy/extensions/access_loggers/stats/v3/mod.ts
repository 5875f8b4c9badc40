/**
 * Messages, enums and services of the proto package `envoy.extensions.access_loggers.stats.v3`.
 *
 * @module
 */
export * from "./stats_pb.ts";
