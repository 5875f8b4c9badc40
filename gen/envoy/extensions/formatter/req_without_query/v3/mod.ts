/**
 * Messages, enums and services of the proto package `envoy.extensions.formatter.req_without_query.v3`.
 *
 * @module
 */
export * from "./req_without_query_pb.ts";
