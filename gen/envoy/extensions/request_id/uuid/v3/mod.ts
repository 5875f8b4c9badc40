/**
 * Messages, enums and services of the proto package `envoy.extensions.request_id.uuid.v3`.
 *
 * @module
 */
export * from "./uuid_pb.ts";
