/**
 * Messages, enums and services of the proto package `envoy.extensions.health_checkers.redis.v3`.
 *
 * @module
 */
export * from "./redis_pb.ts";
