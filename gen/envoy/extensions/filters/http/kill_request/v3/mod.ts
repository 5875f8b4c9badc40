/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.kill_request.v3`.
 *
 * @module
 */
export * from "./kill_request_pb.ts";
