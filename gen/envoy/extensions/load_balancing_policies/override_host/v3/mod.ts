/**
 * Messages, enums and services of the proto package `envoy.extensions.load_balancing_policies.override_host.v3`.
 *
 * @module
 */
export * from "./override_host_pb.ts";
