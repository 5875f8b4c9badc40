/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.on_demand.v3`.
 *
 * @module
 */
export * from "./on_demand_pb.ts";
