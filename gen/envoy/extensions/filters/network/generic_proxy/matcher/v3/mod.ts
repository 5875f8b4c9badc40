/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.network.generic_proxy.matcher.v3`.
 *
 * @module
 */
export * from "./matcher_pb.ts";
