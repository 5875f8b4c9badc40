/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.network.thrift_proxy.filters.payload_to_metadata.v3`.
 *
 * @module
 */
export * from "./payload_to_metadata_pb.ts";
