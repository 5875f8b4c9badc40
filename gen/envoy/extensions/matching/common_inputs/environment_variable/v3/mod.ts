/**
 * Messages, enums and services of the proto package `envoy.extensions.matching.common_inputs.environment_variable.v3`.
 *
 * @module
 */
export * from "./input_pb.ts";
