/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.checksum.v3alpha`.
 *
 * @module
 */
export * from "./checksum_pb.ts";
