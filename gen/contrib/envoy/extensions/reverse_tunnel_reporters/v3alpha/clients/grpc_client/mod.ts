/**
 * Messages, enums and services of the proto package `envoy.extensions.reverse_tunnel_reporters.v3alpha.clients.grpc_client`.
 *
 * @module
 */
export * from "./grpc_client_pb.ts";
export * from "./stream_reverse_tunnels_pb.ts";
