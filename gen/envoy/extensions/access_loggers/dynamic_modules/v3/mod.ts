/**
 * Messages, enums and services of the proto package `envoy.extensions.access_loggers.dynamic_modules.v3`.
 *
 * @module
 */
export * from "./dynamic_modules_pb.ts";
