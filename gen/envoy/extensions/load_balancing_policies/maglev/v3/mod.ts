/**
 * Messages, enums and services of the proto package `envoy.extensions.load_balancing_policies.maglev.v3`.
 *
 * @module
 */
export * from "./maglev_pb.ts";
