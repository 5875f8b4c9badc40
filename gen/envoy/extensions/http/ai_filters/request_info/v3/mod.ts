/**
 * Messages, enums and services of the proto package `envoy.extensions.http.ai_filters.request_info.v3`.
 *
 * @module
 */
export * from "./request_info_pb.ts";
