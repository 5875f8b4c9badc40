/**
 * Messages, enums and services of the proto package `envoy.extensions.internal_redirect.allow_listed_routes.v3`.
 *
 * @module
 */
export * from "./allow_listed_routes_config_pb.ts";
