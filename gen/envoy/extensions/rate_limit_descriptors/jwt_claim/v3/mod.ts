/**
 * Messages, enums and services of the proto package `envoy.extensions.rate_limit_descriptors.jwt_claim.v3`.
 *
 * @module
 */
export * from "./jwt_claim_pb.ts";
