/**
 * Messages, enums and services of the proto package `envoy.config.ratelimit.v3`.
 *
 * @module
 */
export * from "./rls_pb.ts";
