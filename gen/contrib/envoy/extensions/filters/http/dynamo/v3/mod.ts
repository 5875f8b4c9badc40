/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.dynamo.v3`.
 *
 * @module
 */
export * from "./dynamo_pb.ts";
