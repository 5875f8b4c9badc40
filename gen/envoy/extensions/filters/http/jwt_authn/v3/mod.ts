/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.jwt_authn.v3`.
 *
 * @module
 */
export * from "./config_pb.ts";
