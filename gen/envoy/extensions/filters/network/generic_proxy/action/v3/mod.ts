/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.network.generic_proxy.action.v3`.
 *
 * @module
 */
export * from "./action_pb.ts";
