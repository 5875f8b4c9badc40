/**
 * Messages, enums and services of the proto package `envoy.extensions.router.cluster_specifiers.priority_group.v3`.
 *
 * @module
 */
export * from "./priority_group_pb.ts";
