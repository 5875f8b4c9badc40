/**
 * Messages, enums and services of the proto package `envoy.extensions.matching.input_matchers.metadata.v3`.
 *
 * @module
 */
export * from "./metadata_pb.ts";
