/**
 * Messages, enums and services of the proto package `envoy.extensions.rbac.principals.mtls_authenticated.v3`.
 *
 * @module
 */
export * from "./mtls_authenticated_pb.ts";
