/**
 * Messages, enums and services of the proto package `envoy.extensions.grpc_service.call_credentials.google_compute_engine.v3`.
 *
 * @module
 */
export * from "./google_compute_engine_credentials_pb.ts";
