/**
 * Messages, enums and services of the proto package `envoy.extensions.access_loggers.grpc.v3`.
 *
 * @module
 */
export * from "./als_pb.ts";
