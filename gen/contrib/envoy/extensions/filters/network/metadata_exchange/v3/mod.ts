/**
 * Messages, enums and services of the proto package `envoy.tcp.metadataexchange.config`.
 *
 * @module
 */
export * from "./metadata_exchange_pb.ts";
