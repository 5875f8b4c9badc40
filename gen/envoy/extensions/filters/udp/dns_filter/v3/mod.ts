/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.udp.dns_filter.v3`.
 *
 * @module
 */
export * from "./dns_filter_pb.ts";
