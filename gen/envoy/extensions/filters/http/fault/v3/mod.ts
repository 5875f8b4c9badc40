/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.fault.v3`.
 *
 * @module
 */
export * from "./fault_pb.ts";
