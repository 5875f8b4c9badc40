/**
 * Messages, enums and services of the proto package `envoy.extensions.network.dns_resolver.hickory.v3`.
 *
 * @module
 */
export * from "./hickory_dns_resolver_pb.ts";
