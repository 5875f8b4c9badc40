/**
 * Messages, enums and services of the proto package `envoy.extensions.upstreams.http.v3`.
 *
 * @module
 */
export * from "./http_protocol_options_pb.ts";
