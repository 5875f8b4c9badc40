/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.oauth2.v3`.
 *
 * @module
 */
export * from "./oauth_pb.ts";
