/**
 * Messages, enums and services of the proto package `envoy.extensions.http.header_formatters.preserve_case.v3`.
 *
 * @module
 */
export * from "./preserve_case_pb.ts";
