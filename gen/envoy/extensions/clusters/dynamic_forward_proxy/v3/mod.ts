/**
 * Messages, enums and services of the proto package `envoy.extensions.clusters.dynamic_forward_proxy.v3`.
 *
 * @module
 */
export * from "./cluster_pb.ts";
