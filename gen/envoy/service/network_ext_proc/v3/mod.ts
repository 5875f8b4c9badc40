/**
 * Messages, enums and services of the proto package `envoy.service.network_ext_proc.v3`.
 *
 * @module
 */
export * from "./network_external_processor_pb.ts";
