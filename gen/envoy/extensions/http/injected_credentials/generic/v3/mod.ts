/**
 * Messages, enums and services of the proto package `envoy.extensions.http.injected_credentials.generic.v3`.
 *
 * @module
 */
export * from "./generic_pb.ts";
