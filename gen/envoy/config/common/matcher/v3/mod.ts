/**
 * Messages, enums and services of the proto package `envoy.config.common.matcher.v3`.
 *
 * @module
 */
export * from "./matcher_pb.ts";
