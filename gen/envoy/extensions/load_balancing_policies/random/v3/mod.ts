/**
 * Messages, enums and services of the proto package `envoy.extensions.load_balancing_policies.random.v3`.
 *
 * @module
 */
export * from "./random_pb.ts";
