/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.credential_injector.v3`.
 *
 * @module
 */
export * from "./credential_injector_pb.ts";
