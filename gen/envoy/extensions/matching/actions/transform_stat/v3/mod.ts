/**
 * Messages, enums and services of the proto package `envoy.extensions.matching.actions.transform_stat.v3`.
 *
 * @module
 */
export * from "./transform_stat_pb.ts";
