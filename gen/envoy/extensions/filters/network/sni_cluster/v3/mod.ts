/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.network.sni_cluster.v3`.
 *
 * @module
 */
export * from "./sni_cluster_pb.ts";
