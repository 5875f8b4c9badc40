/**
 * Messages, enums and services of the proto package `envoy.extensions.matching.common_inputs.ssl.v3`.
 *
 * @module
 */
export * from "./ssl_inputs_pb.ts";
