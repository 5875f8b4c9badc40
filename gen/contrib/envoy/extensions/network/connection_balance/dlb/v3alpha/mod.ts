/**
 * Messages, enums and services of the proto package `envoy.extensions.network.connection_balance.dlb.v3alpha`.
 *
 * @module
 */
export * from "./dlb_pb.ts";
