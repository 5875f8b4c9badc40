/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.common.dependency.v3`.
 *
 * @module
 */
export * from "./dependency_pb.ts";
