/**
 * A client for tests of control planes: it speaks xDS to a cache as Envoy would over the network, in memory.
 *
 * @example A test of a control plane of one's own
 * ```ts
 * import { createSnapshot, SnapshotCache } from "@xds/control-plane";
 * import { TestClient } from "@xds/control-plane/testing";
 * import { ClusterSchema } from "@xds/envoy/envoy/config/cluster/v3";
 * import { create } from "@bufbuild/protobuf";
 * import { assertEquals } from "@std/assert";
 *
 * const cache = new SnapshotCache();
 * cache.set("edge-1", createSnapshot({ resources: [create(ClusterSchema, { name: "users" })] }));
 *
 * using client = new TestClient(cache, { node: "edge-1" });
 * client.subscribe(ClusterSchema);
 * const response = await client.next();
 * assertEquals(response.names, ["users"]);
 * response.ack();
 * assertEquals(client.get(ClusterSchema, "users")?.name, "users");
 * assertEquals((await cache.settled("edge-1")).accepted, true);
 * ```
 *
 * @module
 */
export { EnvoyModel, type EnvoyModelOptions } from "./envoy_model.ts";
export { GrpcModel, type GrpcModelOptions } from "./grpc_model.ts";
export type {
  ModelProtocol,
  ModelRequest,
  ModelResponse,
  Rejection,
  Rejects,
} from "./model.ts";
export { TestClient } from "./client.ts";
export type { HeldResource, ResourceType } from "./held.ts";
export type { Answer, TestClientOptions, WaitOptions } from "./options.ts";
export type { TestResponse } from "./response.ts";
