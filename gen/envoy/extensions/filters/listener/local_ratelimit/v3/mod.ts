/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.listener.local_ratelimit.v3`.
 *
 * @module
 */
export * from "./local_ratelimit_pb.ts";
