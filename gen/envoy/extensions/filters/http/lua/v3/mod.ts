/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.lua.v3`.
 *
 * @module
 */
export * from "./lua_pb.ts";
