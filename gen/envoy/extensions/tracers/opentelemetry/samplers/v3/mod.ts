/**
 * Messages, enums and services of the proto package `envoy.extensions.tracers.opentelemetry.samplers.v3`.
 *
 * @module
 */
export * from "./always_on_sampler_pb.ts";
export * from "./cel_sampler_pb.ts";
export * from "./dynatrace_sampler_pb.ts";
export * from "./parent_based_sampler_pb.ts";
export * from "./trace_id_ratio_based_sampler_pb.ts";
