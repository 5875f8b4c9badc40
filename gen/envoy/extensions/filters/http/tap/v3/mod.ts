/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.tap.v3`.
 *
 * @module
 */
export * from "./tap_pb.ts";
