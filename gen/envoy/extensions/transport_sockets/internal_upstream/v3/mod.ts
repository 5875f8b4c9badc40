/**
 * Messages, enums and services of the proto package `envoy.extensions.transport_sockets.internal_upstream.v3`.
 *
 * @module
 */
export * from "./internal_upstream_pb.ts";
