/**
 * Messages, enums and services of the proto package `envoy.extensions.http.stateful_session.header.v3`.
 *
 * @module
 */
export * from "./header_pb.ts";
