/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.network.http_connection_manager.v3`.
 *
 * @module
 */
export * from "./http_connection_manager_pb.ts";
