/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.network.sip_proxy.tra.v3alpha`.
 *
 * @module
 */
export * from "./tra_pb.ts";
