/**
 * Messages, enums and services of the proto package `envoy.extensions.filters.network.kafka_mesh.v3alpha`.
 *
 * @module
 */
export * from "./kafka_mesh_pb.ts";
