/**
 * Messages, enums and services of the proto package `envoy.extensions.common.ratelimit.v3`.
 *
 * @module
 */
export * from "./ratelimit_pb.ts";
