/**
 * Messages, enums and services of the proto package `stats`.
 *
 * @module
 */
export * from "./istio_stats_pb.ts";
