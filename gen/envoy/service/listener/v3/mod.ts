/**
 * Messages, enums and services of the proto package `envoy.service.listener.v3`.
 *
 * @module
 */
export * from "./lds_pb.ts";
