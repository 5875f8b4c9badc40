/**
 * Messages, enums and services of the proto package `envoy.extensions.upstreams.http.tcp.golang.v3alpha`.
 *
 * @module
 */
export * from "./golang_pb.ts";
