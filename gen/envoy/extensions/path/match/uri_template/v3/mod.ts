/**
 * Messages, enums and services of the proto package `envoy.extensions.path.match.uri_template.v3`.
 *
 * @module
 */
export * from "./uri_template_match_pb.ts";
