/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.network.client_ssl_auth.v3`.
 *
 * @module
 */
export * from "./client_ssl_auth_pb.ts";
