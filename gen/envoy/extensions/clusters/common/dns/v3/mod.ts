/**
 * Messages, enums and services of the proto package `envoy.extensions.clusters.common.dns.v3`.
 *
 * @module
 */
export * from "./dns_pb.ts";
