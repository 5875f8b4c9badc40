/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.basic_auth.v3`.
 *
 * @module
 */
export * from "./basic_auth_pb.ts";
