/**
 * Messages, enums and services of the proto package `envoy.extensions.load_balancing_policies.round_robin.v3`.
 *
 * @module
 */
export * from "./round_robin_pb.ts";
