/**
 * Messages, enums and services of the proto package `envoy.extensions.stat_sinks.dynamic_modules.v3`.
 *
 * @module
 */
export * from "./dynamic_modules_pb.ts";
