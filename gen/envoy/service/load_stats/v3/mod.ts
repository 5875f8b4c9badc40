/**
 * Messages, enums and services of the proto package `envoy.service.load_stats.v3`.
 *
 * @module
 */
export * from "./lrs_pb.ts";
