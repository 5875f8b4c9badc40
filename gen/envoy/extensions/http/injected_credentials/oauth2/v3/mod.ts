/**
 * Messages, enums and services of the proto package `envoy.extensions.http.injected_credentials.oauth2.v3`.
 *
 * @module
 */
export * from "./oauth2_pb.ts";
