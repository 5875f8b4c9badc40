/**
 * Messages, enums and services of the proto package `envoy.extensions.load_balancing_policies.wrr_locality.v3`.
 *
 * @module
 */
export * from "./wrr_locality_pb.ts";
