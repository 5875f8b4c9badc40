/**
 * Messages, enums and services of the proto package `envoy.extensions.common.matching.v3`.
 *
 * @module
 */
export * from "./extension_matcher_pb.ts";
