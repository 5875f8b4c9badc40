/**
 * Messages, enums and services of the proto package `envoy.extensions.http.custom_response.local_response_policy.v3`.
 *
 * @module
 */
export * from "./local_response_policy_pb.ts";
