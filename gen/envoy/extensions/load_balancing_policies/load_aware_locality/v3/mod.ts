/**
 * Messages, enums and services of the proto package `envoy.extensions.load_balancing_policies.load_aware_locality.v3`.
 *
 * @module
 */
export * from "./load_aware_locality_pb.ts";
