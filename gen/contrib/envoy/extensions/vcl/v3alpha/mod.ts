/**
 * Messages, enums and services of the proto package `envoy.extensions.vcl.v3alpha`.
 *
 * @module
 */
export * from "./vcl_socket_interface_pb.ts";
