/**
 * Messages, enums and services of the proto package `envoy.extensions.rbac.matchers.upstream_ip_port.v3`.
 *
 * @module
 */
export * from "./upstream_ip_port_matcher_pb.ts";
