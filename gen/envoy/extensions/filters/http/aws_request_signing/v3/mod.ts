/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.aws_request_signing.v3`.
 *
 * @module
 */
export * from "./aws_request_signing_pb.ts";
