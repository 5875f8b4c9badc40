/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.connect_grpc_bridge.v3`.
 *
 * @module
 */
export * from "./config_pb.ts";
