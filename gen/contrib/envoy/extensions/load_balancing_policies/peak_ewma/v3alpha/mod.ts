/**
 * Messages, enums and services of the proto package `envoy.extensions.load_balancing_policies.peak_ewma.v3alpha`.
 *
 * @module
 */
export * from "./peak_ewma_pb.ts";
