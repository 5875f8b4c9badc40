/**
 * Messages, enums and services of the proto package `envoy.service.route.v3`.
 *
 * @module
 */
export * from "./rds_pb.ts";
export * from "./srds_pb.ts";
