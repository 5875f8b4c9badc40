/**
 * Messages, enums and services of the proto package `validate`.
 *
 * @module
 */
export * from "./validate_pb.ts";
