/**
 * Messages, enums and services of the proto package `envoy.extensions.queue_policy.fifo.v3`.
 *
 * @module
 */
export * from "./fifo_pb.ts";
