/**
 * Messages, enums and services of the proto package `envoy.extensions.router.cluster_specifiers.matcher.v3`.
 *
 * @module
 */
export * from "./matcher_pb.ts";
