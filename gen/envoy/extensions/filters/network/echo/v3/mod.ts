/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.network.echo.v3`.
 *
 * @module
 */
export * from "./echo_pb.ts";
