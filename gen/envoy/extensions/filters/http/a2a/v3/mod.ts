/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.a2a.v3`.
 *
 * @module
 */
export * from "./a2a_pb.ts";
