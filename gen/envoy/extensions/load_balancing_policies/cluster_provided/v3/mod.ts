/**
 * Messages, enums and services of the proto package `envoy.extensions.load_balancing_policies.cluster_provided.v3`.
 *
 * @module
 */
export * from "./cluster_provided_pb.ts";
