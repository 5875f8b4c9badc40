/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.gzip.v3`.
 *
 * @module
 */
export * from "./gzip_pb.ts";
