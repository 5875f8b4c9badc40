/**
 * Messages, enums and services of the proto package `envoy.extensions.matching.input_matchers.consistent_hashing.v3`.
 *
 * @module
 */
export * from "./consistent_hashing_pb.ts";
