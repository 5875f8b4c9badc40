/**
 * Messages, enums and services of the proto package `envoy.extensions.clusters.redis.v3`.
 *
 * @module
 */
export * from "./redis_cluster_pb.ts";
