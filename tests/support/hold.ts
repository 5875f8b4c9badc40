import { assertEquals } from "@std/assert";
import { createSnapshot, type SnapshotCache, TypeUrl } from "../../mod.ts";
import type { GrpcClient } from "./grpc_client.ts";
import { cluster, endpoints } from "./resources.ts";

/** A time for names to be requested, in milliseconds, that is longer than any test takes. */
export const holdTimeout = 600_000;

/**
 * Brings a delta stream of node `edge` to where new endpoints of cluster `a` are blocked: the client was sent cluster `b`,
 * and has yet to acknowledge it and to request its endpoints.
 */
export async function hold(
  cache: SnapshotCache,
  stream: ReturnType<GrpcClient["delta"]>,
) {
  const first = [cluster("a", "ads"), endpoints("a", 1)];
  cache.set("edge", createSnapshot({ resources: first }));
  stream.send({ node: { id: "edge" }, typeUrl: TypeUrl.Cluster });
  stream.send({
    typeUrl: TypeUrl.ClusterLoadAssignment,
    resourceNamesSubscribe: ["a"],
  });
  for (let count = 0; count < 2; count++) {
    const { typeUrl, nonce } = await stream.next();
    stream.send({ typeUrl, responseNonce: nonce });
  }
  await cache.settled("edge");
  const next = [cluster("b", "ads"), endpoints("b", 1), endpoints("a", 2)];
  cache.set("edge", cache.get("edge")!.with({ set: next }));
  assertEquals((await stream.next()).typeUrl, TypeUrl.Cluster);
}
