/**
 * Messages, enums and services of the proto package `envoy.extensions.retry.host.previous_hosts.v3`.
 *
 * @module
 */
export * from "./previous_hosts_pb.ts";
