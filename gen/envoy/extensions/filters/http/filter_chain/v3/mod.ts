/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.filter_chain.v3`.
 *
 * @module
 */
export * from "./filter_chain_pb.ts";
