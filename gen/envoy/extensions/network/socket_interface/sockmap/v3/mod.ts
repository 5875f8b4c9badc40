/**
 * Messages, enums and services of the proto package `envoy.extensions.network.socket_interface.sockmap.v3`.
 *
 * @module
 */
export * from "./sockmap_pb.ts";
