/**
 * Messages, enums and services of the proto package `envoy.config.common.mutation_rules.v3`.
 *
 * @module
 */
export * from "./mutation_rules_pb.ts";
