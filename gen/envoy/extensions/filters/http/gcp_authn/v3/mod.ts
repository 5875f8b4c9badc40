/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.gcp_authn.v3`.
 *
 * @module
 */
export * from "./gcp_authn_pb.ts";
