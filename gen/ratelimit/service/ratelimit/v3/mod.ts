/**
 * Messages, enums and services of the proto package `ratelimit.service.ratelimit.v3`.
 *
 * @module
 */
export * from "./rls_conf_ds_pb.ts";
