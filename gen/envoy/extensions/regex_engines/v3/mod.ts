/**
 * Messages, enums and services of the proto package `envoy.extensions.regex_engines.v3`.
 *
 * @module
 */
export * from "./google_re2_pb.ts";
