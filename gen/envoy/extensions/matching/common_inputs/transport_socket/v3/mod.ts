/**
 * Messages, enums and services of the proto package `envoy.extensions.matching.common_inputs.transport_socket.v3`.
 *
 * @module
 */
export * from "./transport_socket_inputs_pb.ts";
