/**
 * Messages, enums and services of the proto package `envoy.extensions.matching.input_matchers.runtime_fraction.v3`.
 *
 * @module
 */
export * from "./runtime_fraction_pb.ts";
