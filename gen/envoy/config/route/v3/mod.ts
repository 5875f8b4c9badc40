/**
 * Messages, enums and services of the proto package `envoy.config.route.v3`.
 *
 * @module
 */
export * from "./route_components_pb.ts";
export * from "./route_pb.ts";
export * from "./scoped_route_pb.ts";
