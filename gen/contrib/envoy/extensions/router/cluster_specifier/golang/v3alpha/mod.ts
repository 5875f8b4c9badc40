/**
 * Messages, enums and services of the proto package `envoy.extensions.router.cluster_specifier.golang.v3alpha`.
 *
 * @module
 */
export * from "./golang_pb.ts";
