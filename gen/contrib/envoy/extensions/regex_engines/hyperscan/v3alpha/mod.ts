/**
 * Messages, enums and services of the proto package `envoy.extensions.regex_engines.hyperscan.v3alpha`.
 *
 * @module
 */
export * from "./hyperscan_pb.ts";
