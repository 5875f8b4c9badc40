/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.network.generic_proxy.codecs.dubbo.v3`.
 *
 * @module
 */
export * from "./dubbo_pb.ts";
