/**
 * Messages, enums and services of the proto package `io.istio.http.peer_metadata`.
 *
 * @module
 */
export * from "./peer_metadata_pb.ts";
