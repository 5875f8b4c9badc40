/**
 * Messages, enums and services of the proto package `envoy.extensions.router.cluster_specifiers.lua.v3`.
 *
 * @module
 */
export * from "./lua_pb.ts";
