/**
 * Messages, enums and services of the proto package `envoy.extensions.http.header_validators.envoy_default.v3`.
 *
 * @module
 */
export * from "./header_validator_pb.ts";
