/**
 * Messages, enums and services of the proto package `envoy.extensions.load_balancing_policies.pick_first.v3`.
 *
 * @module
 */
export * from "./pick_first_pb.ts";
