/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.bandwidth_share.v3`.
 *
 * @module
 */
export * from "./bandwidth_share_pb.ts";
