/**
 * Messages, enums and services of the proto package `envoy.extensions.resource_monitors.cpu_utilization.v3`.
 *
 * @module
 */
export * from "./cpu_utilization_pb.ts";
