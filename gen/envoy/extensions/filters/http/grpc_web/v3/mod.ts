/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.grpc_web.v3`.
 *
 * @module
 */
export * from "./grpc_web_pb.ts";
