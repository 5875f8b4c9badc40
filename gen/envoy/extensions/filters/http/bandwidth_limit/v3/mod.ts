/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.bandwidth_limit.v3`.
 *
 * @module
 */
export * from "./bandwidth_limit_pb.ts";
