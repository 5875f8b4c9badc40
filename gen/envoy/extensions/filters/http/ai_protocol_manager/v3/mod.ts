/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.ai_protocol_manager.v3`.
 *
 * @module
 */
export * from "./ai_protocol_manager_pb.ts";
