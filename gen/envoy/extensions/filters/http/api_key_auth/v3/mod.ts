/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.api_key_auth.v3`.
 *
 * @module
 */
export * from "./api_key_auth_pb.ts";
