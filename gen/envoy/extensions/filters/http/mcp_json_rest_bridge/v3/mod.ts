/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.mcp_json_rest_bridge.v3`.
 *
 * @module
 */
export * from "./mcp_json_rest_bridge_pb.ts";
