/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.aws_lambda.v3`.
 *
 * @module
 */
export * from "./aws_lambda_pb.ts";
