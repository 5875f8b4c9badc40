/**
 * Messages, enums and services of the proto package `istio.envoy.config.filter.http.alpn.v2alpha1`.
 *
 * @module
 */
export * from "./alpn_pb.ts";
