/**
 * Messages, enums and services of the proto package `envoy.extensions.load_balancing_policies.random_subsetting.v3`.
 *
 * @module
 */
export * from "./random_subsetting_pb.ts";
