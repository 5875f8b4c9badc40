/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.network.sip_proxy.router.v3alpha`.
 *
 * @module
 */
export * from "./router_pb.ts";
