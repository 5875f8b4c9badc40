/**
 * Messages, enums and services of the proto package `envoy.extensions.resource_monitors.cgroup_memory.v3`.
 *
 * @module
 */
export * from "./cgroup_memory_pb.ts";
