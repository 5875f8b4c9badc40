/**
 * Messages, enums and services of the proto package `envoy.extensions.config.v3alpha`.
 *
 * @module
 */
export * from "./kv_store_xds_delegate_config_pb.ts";
