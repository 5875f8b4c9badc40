/**
 * Messages, enums and services of the proto package `envoy.config.upstream.local_address_selector.v3`.
 *
 * @module
 */
export * from "./default_local_address_selector_pb.ts";
