/**
 * Messages, enums and services of the proto package `ratelimit.config.ratelimit.v3`.
 *
 * @module
 */
export * from "./rls_conf_pb.ts";
