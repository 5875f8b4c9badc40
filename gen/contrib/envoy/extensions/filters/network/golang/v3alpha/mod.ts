/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.network.golang.v3alpha`.
 *
 * @module
 */
export * from "./golang_pb.ts";
