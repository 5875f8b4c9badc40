/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.udp.udp_proxy.session.dynamic_forward_proxy.v3`.
 *
 * @module
 */
export * from "./dynamic_forward_proxy_pb.ts";
