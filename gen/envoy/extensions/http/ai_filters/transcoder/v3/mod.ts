/**
 * Messages, enums and services of the proto package `envoy.extensions.http.ai_filters.transcoder.v3`.
 *
 * @module
 */
export * from "./transcoder_pb.ts";
