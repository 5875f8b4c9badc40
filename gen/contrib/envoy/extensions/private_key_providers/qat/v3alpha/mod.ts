/**
 * Messages, enums and services of the proto package `envoy.extensions.private_key_providers.qat.v3alpha`.
 *
 * @module
 */
export * from "./qat_pb.ts";
