/**
 * Messages, enums and services of the proto package `envoy.extensions.geoip_providers.maxmind.v3`.
 *
 * @module
 */
export * from "./maxmind_pb.ts";
