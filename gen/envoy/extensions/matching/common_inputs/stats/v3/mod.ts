/**
 * Messages, enums and services of the proto package `envoy.extensions.matching.common_inputs.stats.v3`.
 *
 * @module
 */
export * from "./stats_pb.ts";
