/**
 * Messages, enums and services of the proto package `envoy.extensions.network.dns_resolver.apple.v3`.
 *
 * @module
 */
export * from "./apple_dns_resolver_pb.ts";
