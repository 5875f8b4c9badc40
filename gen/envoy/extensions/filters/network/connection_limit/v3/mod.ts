/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.network.connection_limit.v3`.
 *
 * @module
 */
export * from "./connection_limit_pb.ts";
