/**
 * Messages, enums and services of the proto package `envoy.extensions.path.rewrite.uri_template.v3`.
 *
 * @module
 */
export * from "./uri_template_rewrite_pb.ts";
