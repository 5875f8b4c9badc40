/**
 * Messages, enums and services of the proto package `envoy.service.discovery.v3`.
 *
 * @module
 */
export * from "./ads_pb.ts";
export * from "./discovery_pb.ts";
