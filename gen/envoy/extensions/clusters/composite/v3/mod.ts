/**
 * Messages, enums and services of the proto package `envoy.extensions.clusters.composite.v3`.
 *
 * @module
 */
export * from "./cluster_pb.ts";
