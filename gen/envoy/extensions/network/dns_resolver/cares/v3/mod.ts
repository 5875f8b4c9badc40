/**
 * Messages, enums and services of the proto package `envoy.extensions.network.dns_resolver.cares.v3`.
 *
 * @module
 */
export * from "./cares_dns_resolver_pb.ts";
