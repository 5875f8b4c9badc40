/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.network.sip_proxy.v3alpha`.
 *
 * @module
 */
export * from "./route_pb.ts";
export * from "./sip_proxy_pb.ts";
