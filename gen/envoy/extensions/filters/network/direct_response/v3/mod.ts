/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.network.direct_response.v3`.
 *
 * @module
 */
export * from "./config_pb.ts";
