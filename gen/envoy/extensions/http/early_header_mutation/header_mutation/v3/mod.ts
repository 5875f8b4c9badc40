/**
 * Messages, enums and services of the proto package `envoy.extensions.http.early_header_mutation.header_mutation.v3`.
 *
 * @module
 */
export * from "./header_mutation_pb.ts";
