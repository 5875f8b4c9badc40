/**
 * Messages, enums and services of the proto package `envoy.config.trace.v3`.
 *
 * @module
 */
export * from "./datadog_pb.ts";
export * from "./dynamic_ot_pb.ts";
export * from "./http_tracer_pb.ts";
export * from "./lightstep_pb.ts";
export * from "./opentelemetry_pb.ts";
export * from "./service_pb.ts";
export * from "./skywalking_pb.ts";
export * from "./trace_pb.ts";
export * from "./xray_pb.ts";
export * from "./zipkin_pb.ts";
