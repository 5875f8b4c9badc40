/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.http.upstream_codec.v3`.
 *
 * @module
 */
export * from "./upstream_codec_pb.ts";
