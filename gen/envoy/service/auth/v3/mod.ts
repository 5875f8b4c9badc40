/**
 * Messages, enums and services of the proto package `envoy.service.auth.v3`.
 *
 * @module
 */
export * from "./attribute_context_pb.ts";
export * from "./external_auth_pb.ts";
