/**
 * Messages, enums and services of the proto package `envoy.service.ext_proc.v3`.
 *
 * @module
 */
export * from "./external_processor_pb.ts";
