/**
 * Messages, enums and services of the proto package `envoy.extensions.tracers.opentelemetry.resource_detectors.v3`.
 *
 * @module
 */
export * from "./dynatrace_resource_detector_pb.ts";
export * from "./environment_resource_detector_pb.ts";
export * from "./static_config_resource_detector_pb.ts";
