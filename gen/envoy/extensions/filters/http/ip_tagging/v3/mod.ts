/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.ip_tagging.v3`.
 *
 * @module
 */
export * from "./ip_tagging_pb.ts";
