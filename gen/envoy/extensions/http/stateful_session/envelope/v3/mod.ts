/**
 * Messages, enums and services of the proto package `envoy.extensions.http.stateful_session.envelope.v3`.
 *
 * @module
 */
export * from "./envelope_pb.ts";
