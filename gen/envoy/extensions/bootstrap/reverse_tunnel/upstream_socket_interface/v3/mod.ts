/**
 * Messages, enums and services of the proto package `envoy.extensions.bootstrap.reverse_tunnel.upstream_socket_interface.v3`.
 *
 * @module
 */
export * from "./upstream_reverse_connection_socket_interface_pb.ts";
