/**
 * Messages, enums and services of the proto package `envoy.extensions.resource_monitors.fixed_heap.v3`.
 *
 * @module
 */
export * from "./fixed_heap_pb.ts";
