/**
 * Messages, enums and services of the proto package `envoy.extensions.internal_redirect.previous_routes.v3`.
 *
 * @module
 */
export * from "./previous_routes_config_pb.ts";
