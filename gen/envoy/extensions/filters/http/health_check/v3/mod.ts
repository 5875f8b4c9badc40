/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.health_check.v3`.
 *
 * @module
 */
export * from "./health_check_pb.ts";
