/**
 * Messages, enums and services of the proto package `envoy.service.redis_auth.v3`.
 *
 * @module
 */
export * from "./redis_external_auth_pb.ts";
