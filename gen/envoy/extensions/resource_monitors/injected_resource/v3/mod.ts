/**
 * Messages, enums and services of the proto package `envoy.extensions.resource_monitors.injected_resource.v3`.
 *
 * @module
 */
export * from "./injected_resource_pb.ts";
