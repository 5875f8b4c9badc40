/**
 * Messages, enums and services of the proto package `envoy.service.event_reporting.v3`.
 *
 * @module
 */
export * from "./event_reporting_service_pb.ts";
