/**
 * Messages, enums and services of the proto package `envoy.type.http.v3`.
 *
 * @module
 */
export * from "./cookie_pb.ts";
export * from "./path_transformation_pb.ts";
