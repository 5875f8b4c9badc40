/**
 * Messages, enums and services of the proto package `envoy.extensions.clusters.reverse_connection.v3`.
 *
 * @module
 */
export * from "./reverse_connection_pb.ts";
