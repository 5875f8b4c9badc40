/**
 * Messages, enums and services of the proto package `envoy.extensions.network.socket_interface.v3`.
 *
 * @module
 */
export * from "./default_socket_interface_pb.ts";
