/**
 * Messages, enums and services of the proto package `envoy.config.rbac.v3`.
 *
 * @module
 */
export * from "./rbac_pb.ts";
