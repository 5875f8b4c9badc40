/**
 * Messages, enums and services of the proto package `envoy.extensions.early_data.v3`.
 *
 * @module
 */
export * from "./default_early_data_policy_pb.ts";
