/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.geoip.v3`.
 *
 * @module
 */
export * from "./geoip_pb.ts";
