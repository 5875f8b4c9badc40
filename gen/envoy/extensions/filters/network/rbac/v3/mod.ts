/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.network.rbac.v3`.
 *
 * @module
 */
export * from "./rbac_pb.ts";
