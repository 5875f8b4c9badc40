/**
 * Messages, enums and services of the proto package `google.rpc`.
 *
 * @module
 */
export * from "./status_pb.ts";
