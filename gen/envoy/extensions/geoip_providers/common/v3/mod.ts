/**
 * Messages, enums and services of the proto package `envoy.extensions.geoip_providers.common.v3`.
 *
 * @module
 */
export * from "./common_pb.ts";
