/**
 * Messages, enums and services of the proto package `cel.expr`.
 *
 * @module
 */
export * from "./checked_pb.ts";
export * from "./eval_pb.ts";
export * from "./explain_pb.ts";
export * from "./syntax_pb.ts";
export * from "./value_pb.ts";
