/**
 * Messages, enums and services of the proto package `envoy.service.extension.v3`.
 *
 * @module
 */
export * from "./config_discovery_pb.ts";
