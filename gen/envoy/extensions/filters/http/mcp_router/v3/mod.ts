/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.mcp_router.v3`.
 *
 * @module
 */
export * from "./mcp_router_pb.ts";
