/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.header_mutation.v3`.
 *
 * @module
 */
export * from "./header_mutation_pb.ts";
