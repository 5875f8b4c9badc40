/**
 * Messages, enums and services of the proto package `envoy.extensions.stat_sinks.graphite_statsd.v3`.
 *
 * @module
 */
export * from "./graphite_statsd_pb.ts";
