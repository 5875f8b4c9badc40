/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.network.mongo_proxy.v3`.
 *
 * @module
 */
export * from "./mongo_proxy_pb.ts";
