/**
 * Messages, enums and services of the proto package `envoy.extensions.retry.host.omit_canary_hosts.v3`.
 *
 * @module
 */
export * from "./omit_canary_hosts_pb.ts";
