/**
 * Messages, enums and services of the proto package `envoy.extensions.clusters.dynamic_modules.v3`.
 *
 * @module
 */
export * from "./cluster_pb.ts";
