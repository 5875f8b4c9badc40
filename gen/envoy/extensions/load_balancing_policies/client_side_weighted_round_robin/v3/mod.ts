/**
 * Messages, enums and services of the proto package `envoy.extensions.load_balancing_policies.client_side_weighted_round_robin.v3`.
 *
 * @module
 */
export * from "./client_side_weighted_round_robin_pb.ts";
