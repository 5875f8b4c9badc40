/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.sxg.v3alpha`.
 *
 * @module
 */
export * from "./sxg_pb.ts";
