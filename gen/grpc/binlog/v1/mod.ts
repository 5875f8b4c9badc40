/**
 * Messages, enums and services of the proto package `grpc.binarylog.v1`.
 *
 * @module
 */
export * from "./binarylog_pb.ts";
