/**
 * Messages, enums and services of the proto package `envoy.extensions.http.ext_proc.response_processors.save_processing_response.v3`.
 *
 * @module
 */
export * from "./save_processing_response_pb.ts";
