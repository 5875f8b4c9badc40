/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.aws_eventstream_parser.v3`.
 *
 * @module
 */
export * from "./aws_eventstream_parser_pb.ts";
