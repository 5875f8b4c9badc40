/**
 * Messages, enums and services of the proto package `envoy.extensions.matching.common_inputs.network.v3`.
 *
 * @module
 */
export * from "./network_inputs_pb.ts";
