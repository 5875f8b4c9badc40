/**
 * Messages, enums and services of the proto package `envoy.extensions.private_key_providers.kae.v3alpha`.
 *
 * @module
 */
export * from "./kae_pb.ts";
