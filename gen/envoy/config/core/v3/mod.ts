/**
 * Messages, enums and services of the proto package `envoy.config.core.v3`.
 *
 * @module
 */
export * from "./address_pb.ts";
export * from "./backoff_pb.ts";
export * from "./base_pb.ts";
export * from "./cel_pb.ts";
export * from "./config_source_pb.ts";
export * from "./event_service_config_pb.ts";
export * from "./extension_pb.ts";
export * from "./grpc_method_list_pb.ts";
export * from "./grpc_service_pb.ts";
export * from "./health_check_pb.ts";
export * from "./http_service_pb.ts";
export * from "./http_uri_pb.ts";
export * from "./protocol_pb.ts";
export * from "./proxy_protocol_pb.ts";
export * from "./resolver_pb.ts";
export * from "./socket_cmsg_headers_pb.ts";
export * from "./socket_option_pb.ts";
export * from "./substitution_format_string_pb.ts";
export * from "./udp_socket_config_pb.ts";
