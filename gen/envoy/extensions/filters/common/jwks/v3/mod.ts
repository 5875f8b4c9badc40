/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.common.jwks.v3`.
 *
 * @module
 */
export * from "./jwks_pb.ts";
export * from "./jwt_handshake_pb.ts";
