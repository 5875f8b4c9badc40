/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.ext_authz.v3`.
 *
 * @module
 */
export * from "./ext_authz_pb.ts";
