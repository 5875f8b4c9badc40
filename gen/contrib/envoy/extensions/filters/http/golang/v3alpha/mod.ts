/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.golang.v3alpha`.
 *
 * @module
 */
export * from "./golang_pb.ts";
