/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.network.generic_proxy.codecs.http1.v3`.
 *
 * @module
 */
export * from "./http1_pb.ts";
