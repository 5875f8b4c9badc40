/**
 * Messages, enums and services of the proto package `envoy.extensions.load_balancing_policies.least_request.v3`.
 *
 * @module
 */
export * from "./least_request_pb.ts";
