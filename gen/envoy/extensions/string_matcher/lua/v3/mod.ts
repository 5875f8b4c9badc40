/**
 * Messages, enums and services of the proto package `envoy.extensions.string_matcher.lua.v3`.
 *
 * @module
 */
export * from "./lua_pb.ts";
