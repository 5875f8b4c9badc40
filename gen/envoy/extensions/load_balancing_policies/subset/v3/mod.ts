/**
 * Messages, enums and services of the proto package `envoy.extensions.load_balancing_policies.subset.v3`.
 *
 * @module
 */
export * from "./subset_pb.ts";
