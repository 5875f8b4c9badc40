/**
 * Messages, enums and services of the proto package `envoy.config.cluster.redis`.
 *
 * @module
 */
export * from "./redis_cluster_pb.ts";
