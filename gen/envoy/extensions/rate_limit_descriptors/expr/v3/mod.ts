/**
 * Messages, enums and services of the proto package `envoy.extensions.rate_limit_descriptors.expr.v3`.
 *
 * @module
 */
export * from "./expr_pb.ts";
