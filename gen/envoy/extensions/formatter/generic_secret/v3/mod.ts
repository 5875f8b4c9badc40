/**
 * Messages, enums and services of the proto package `envoy.extensions.formatter.generic_secret.v3`.
 *
 * @module
 */
export * from "./generic_secret_pb.ts";
