/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.language.v3alpha`.
 *
 * @module
 */
export * from "./language_pb.ts";
