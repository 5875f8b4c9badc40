/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.grpc_stats.v3`.
 *
 * @module
 */
export * from "./config_pb.ts";
