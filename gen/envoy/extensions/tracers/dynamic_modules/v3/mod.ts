/**
 * Messages, enums and services of the proto package `envoy.extensions.tracers.dynamic_modules.v3`.
 *
 * @module
 */
export * from "./dynamic_modules_pb.ts";
