/**
 * Messages, enums and services of the proto package `envoy.extensions.load_balancing_policies.common.v3`.
 *
 * @module
 */
export * from "./common_pb.ts";
