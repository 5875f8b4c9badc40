/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.network.postgres_proxy.v3alpha`.
 *
 * @module
 */
export * from "./postgres_proxy_pb.ts";
