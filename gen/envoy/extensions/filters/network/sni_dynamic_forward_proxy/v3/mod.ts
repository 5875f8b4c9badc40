/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.network.sni_dynamic_forward_proxy.v3`.
 *
 * @module
 */
export * from "./sni_dynamic_forward_proxy_pb.ts";
