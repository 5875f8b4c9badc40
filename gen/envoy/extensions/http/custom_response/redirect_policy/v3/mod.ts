/**
 * Messages, enums and services of the proto package `envoy.extensions.http.custom_response.redirect_policy.v3`.
 *
 * @module
 */
export * from "./redirect_policy_pb.ts";
