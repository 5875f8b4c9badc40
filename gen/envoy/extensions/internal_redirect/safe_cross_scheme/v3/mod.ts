/**
 * Messages, enums and services of the proto package `envoy.extensions.internal_redirect.safe_cross_scheme.v3`.
 *
 * @module
 */
export * from "./safe_cross_scheme_config_pb.ts";
