/**
 * Messages, enums and services of the proto package `opentelemetry.proto.common.v1`.
 *
 * @module
 */
export * from "./common_pb.ts";
