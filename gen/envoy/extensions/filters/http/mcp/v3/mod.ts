/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.mcp.v3`.
 *
 * @module
 */
export * from "./mcp_pb.ts";
