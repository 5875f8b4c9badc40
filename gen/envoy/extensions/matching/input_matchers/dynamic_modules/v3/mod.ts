/**
 * Messages, enums and services of the proto package `envoy.extensions.matching.input_matchers.dynamic_modules.v3`.
 *
 * @module
 */
export * from "./dynamic_modules_pb.ts";
