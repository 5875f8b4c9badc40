/**
 * Messages, enums and services of the proto package `envoy.type.ai.v3`.
 *
 * @module
 */
export * from "./llm_protocol_pb.ts";
