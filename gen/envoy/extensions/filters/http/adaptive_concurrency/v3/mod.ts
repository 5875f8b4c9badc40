/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.adaptive_concurrency.v3`.
 *
 * @module
 */
export * from "./adaptive_concurrency_pb.ts";
