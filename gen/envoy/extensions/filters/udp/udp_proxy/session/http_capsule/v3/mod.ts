/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.udp.udp_proxy.session.http_capsule.v3`.
 *
 * @module
 */
export * from "./http_capsule_pb.ts";
