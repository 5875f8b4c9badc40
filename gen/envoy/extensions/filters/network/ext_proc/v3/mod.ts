/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.network.ext_proc.v3`.
 *
 * @module
 */
export * from "./ext_proc_pb.ts";
