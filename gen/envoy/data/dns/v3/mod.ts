/**
 * Messages, enums and services of the proto package `envoy.data.dns.v3`.
 *
 * @module
 */
export * from "./dns_table_pb.ts";
