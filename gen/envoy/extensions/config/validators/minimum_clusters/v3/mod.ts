/**
 * Messages, enums and services of the proto package `envoy.extensions.config.validators.minimum_clusters.v3`.
 *
 * @module
 */
export * from "./minimum_clusters_pb.ts";
