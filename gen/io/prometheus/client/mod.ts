/**
 * Messages, enums and services of the proto package `io.prometheus.client`.
 *
 * @module
 */
export * from "./metrics_pb.ts";
