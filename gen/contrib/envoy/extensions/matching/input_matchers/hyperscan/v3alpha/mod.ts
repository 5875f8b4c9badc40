/**
 * Messages, enums and services of the proto package `envoy.extensions.matching.input_matchers.hyperscan.v3alpha`.
 *
 * @module
 */
export * from "./hyperscan_pb.ts";
