/**
 * Messages, enums and services of the proto package `envoy.extensions.common.async_files.v3`.
 *
 * @module
 */
export * from "./async_file_manager_pb.ts";
