/**
 * Messages, enums and services of the proto package `envoy.extensions.private_key_providers.cryptomb.v3alpha`.
 *
 * @module
 */
export * from "./cryptomb_pb.ts";
