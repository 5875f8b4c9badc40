/**
 * Messages, enums and services of the proto package `xds.core.v3`.
 *
 * @module
 */
export * from "./authority_pb.ts";
export * from "./cidr_pb.ts";
export * from "./collection_entry_pb.ts";
export * from "./context_params_pb.ts";
export * from "./extension_pb.ts";
export * from "./resource_locator_pb.ts";
export * from "./resource_name_pb.ts";
export * from "./resource_pb.ts";
