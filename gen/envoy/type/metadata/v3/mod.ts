/**
 * Messages, enums and services of the proto package `envoy.type.metadata.v3`.
 *
 * @module
 */
export * from "./metadata_pb.ts";
