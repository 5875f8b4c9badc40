/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.udp.udp_proxy.session.ext_authz.v3`.
 *
 * @module
 */
export * from "./ext_authz_pb.ts";
