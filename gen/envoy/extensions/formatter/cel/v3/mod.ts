/**
 * Messages, enums and services of the proto package `envoy.extensions.formatter.cel.v3`.
 *
 * @module
 */
export * from "./cel_pb.ts";
