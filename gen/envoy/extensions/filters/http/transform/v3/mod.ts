/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.transform.v3`.
 *
 * @module
 */
export * from "./transform_pb.ts";
