/**
 * Messages, enums and services of the proto package `envoy.extensions.network.dns_resolver.getaddrinfo.v3`.
 *
 * @module
 */
export * from "./getaddrinfo_dns_resolver_pb.ts";
