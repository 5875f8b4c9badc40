/**
 * Messages, enums and services of the proto package `envoy.service.secret.v3`.
 *
 * @module
 */
export * from "./sds_pb.ts";
