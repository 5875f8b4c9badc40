/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.proto_api_scrubber.v3`.
 *
 * @module
 */
export * from "./config_pb.ts";
export * from "./matcher_actions_pb.ts";
