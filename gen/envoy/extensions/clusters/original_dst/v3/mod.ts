/**
 * Messages, enums and services of the proto package `envoy.extensions.clusters.original_dst.v3`.
 *
 * @module
 */
export * from "./original_dst_pb.ts";
