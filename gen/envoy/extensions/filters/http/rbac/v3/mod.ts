/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.rbac.v3`.
 *
 * @module
 */
export * from "./rbac_pb.ts";
