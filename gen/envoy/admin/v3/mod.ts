/**
 * Messages, enums and services of the proto package `envoy.admin.v3`.
 *
 * @module
 */
export * from "./certs_pb.ts";
export * from "./clusters_pb.ts";
export * from "./config_dump_pb.ts";
export * from "./config_dump_shared_pb.ts";
export * from "./init_dump_pb.ts";
export * from "./listeners_pb.ts";
export * from "./memory_pb.ts";
export * from "./metrics_pb.ts";
export * from "./mutex_stats_pb.ts";
export * from "./server_info_pb.ts";
export * from "./tap_pb.ts";
