/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.admission_control.v3`.
 *
 * @module
 */
export * from "./admission_control_pb.ts";
