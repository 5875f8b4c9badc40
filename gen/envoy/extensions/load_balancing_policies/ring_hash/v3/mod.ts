/**
 * Messages, enums and services of the proto package `envoy.extensions.load_balancing_policies.ring_hash.v3`.
 *
 * @module
 */
export * from "./ring_hash_pb.ts";
