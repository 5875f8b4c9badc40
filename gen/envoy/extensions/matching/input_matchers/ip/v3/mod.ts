/**
 * Messages, enums and services of the proto package `envoy.extensions.matching.input_matchers.ip.v3`.
 *
 * @module
 */
export * from "./ip_pb.ts";
