/**
 * Messages, enums and services of the proto package `envoy.extensions.clusters.dns.v3`.
 *
 * @module
 */
export * from "./dns_cluster_pb.ts";
