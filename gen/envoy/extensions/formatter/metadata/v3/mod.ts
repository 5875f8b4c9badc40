/**
 * Messages, enums and services of the proto package `envoy.extensions.formatter.metadata.v3`.
 *
 * @module
 */
export * from "./metadata_pb.ts";
