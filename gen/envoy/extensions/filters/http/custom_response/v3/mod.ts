/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.custom_response.v3`.
 *
 * @module
 */
export * from "./custom_response_pb.ts";
