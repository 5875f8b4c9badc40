/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.network.generic_proxy.codecs.kafka.v3`.
 *
 * @module
 */
export * from "./kafka_pb.ts";
