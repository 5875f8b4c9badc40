/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.network.kafka_broker.v3`.
 *
 * @module
 */
export * from "./kafka_broker_pb.ts";
