/**
 * Messages, enums and services of the proto package `envoy.extensions.http.early_header_mutation.dynamic_modules.v3`.
 *
 * @module
 */
export * from "./dynamic_modules_pb.ts";
