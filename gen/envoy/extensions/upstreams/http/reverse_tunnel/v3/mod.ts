/**
 * Messages, enums and services of the proto package `envoy.extensions.upstreams.http.reverse_tunnel.v3`.
 *
 * @module
 */
export * from "./reverse_tunnel_codec_pb.ts";
