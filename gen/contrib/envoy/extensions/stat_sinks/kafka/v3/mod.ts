/**
 * Messages, enums and services of the proto package `envoy.extensions.stat_sinks.kafka.v3`.
 *
 * @module
 */
export * from "./kafka_stats_sink_pb.ts";
