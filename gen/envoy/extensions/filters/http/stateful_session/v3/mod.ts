/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.stateful_session.v3`.
 *
 * @module
 */
export * from "./stateful_session_pb.ts";
