/**
 * Messages, enums and services of the proto package `envoy.data.core.v3`.
 *
 * @module
 */
export * from "./health_check_event_pb.ts";
export * from "./tlv_metadata_pb.ts";
