/**
 * Messages, enums and services of the proto package `envoy.extensions.http.stateful_session.cookie.v3`.
 *
 * @module
 */
export * from "./cookie_pb.ts";
