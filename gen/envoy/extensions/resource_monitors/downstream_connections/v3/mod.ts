/**
 * Messages, enums and services of the proto package `envoy.extensions.resource_monitors.downstream_connections.v3`.
 *
 * @module
 */
export * from "./downstream_connections_pb.ts";
