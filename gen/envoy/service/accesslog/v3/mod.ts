/**
 * Messages, enums and services of the proto package `envoy.service.accesslog.v3`.
 *
 * @module
 */
export * from "./als_pb.ts";
