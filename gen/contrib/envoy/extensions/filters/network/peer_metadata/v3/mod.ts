/**
 * Messages, enums and services of the proto package `envoy.extensions.network_filters.peer_metadata`.
 *
 * @module
 */
export * from "./peer_metadata_pb.ts";
