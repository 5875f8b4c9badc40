/**
 * Messages, enums and services of the proto package `envoy.extensions.transport_sockets.starttls.v3`.
 *
 * @module
 */
export * from "./starttls_pb.ts";
