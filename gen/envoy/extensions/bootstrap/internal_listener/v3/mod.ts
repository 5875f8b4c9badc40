/**
 * Messages, enums and services of the proto package `envoy.extensions.bootstrap.internal_listener.v3`.
 *
 * @module
 */
export * from "./internal_listener_pb.ts";
