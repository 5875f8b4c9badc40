/**
 * Messages, enums and services of the proto package `envoy.extensions.content_parsers.json.v3`.
 *
 * @module
 */
export * from "./json_content_parser_pb.ts";
