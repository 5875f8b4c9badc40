/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.grpc_json_transcoder.v3`.
 *
 * @module
 */
export * from "./transcoder_pb.ts";
