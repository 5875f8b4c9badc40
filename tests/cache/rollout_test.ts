import { create } from "@bufbuild/protobuf";
import { assertEquals, assertThrows } from "@std/assert";
import { ClusterSchema } from "@xds/envoy/envoy/config/cluster/v3";
import { TestClient } from "../../lib/testing/mod.ts";
import {
  createSnapshot,
  type Rollback,
  type Snapshot,
  SnapshotCache,
  type SnapshotCacheOptions,
} from "../../mod.ts";

const KEY = "edge";

function snapshot(altStatName: string): Snapshot {
  return createSnapshot({
    version: altStatName,
    resources: [create(ClusterSchema, { name: "a", altStatName })],
  });
}

function cacheOf(options: SnapshotCacheOptions): SnapshotCache {
  return new SnapshotCache({ nodeKey: (node) => node.cluster, ...options });
}

/** Clients of one group, each a node of its own, that accept what they are sent when they are told to. */
function clientsOf(cache: SnapshotCache, count: number): TestClient[] {
  return Array.from({ length: count }, (_, i) => {
    const node = { id: `node-${i}`, cluster: KEY };
    const client = new TestClient(cache, { node });
    client.subscribe(ClusterSchema);
    return client;
  });
}

function versions(clients: readonly TestClient[]): string[] {
  return clients.map((client) =>
    client.get(ClusterSchema, "a")?.altStatName ?? ""
  );
}

function acceptAll(clients: readonly TestClient[]): number {
  let count = 0;
  for (const client of clients) {
    for (const response of client.read()) {
      response.ack();
      count++;
    }
  }
  return count;
}

Deno.test("a rollout goes to a share of the nodes, and to the rest once these have accepted", async () => {
  const cache = cacheOf({ rollout: { canary: 0.25 } });
  cache.set(KEY, snapshot("1"));
  const clients = clientsOf(cache, 5);
  assertEquals(acceptAll(clients), 5);
  cache.set(KEY, snapshot("2"));
  const settled = cache.settled(KEY);
  // A quarter of five, rounded up.
  const waiting = clients.map((client) => client.read());
  assertEquals(waiting.map((its) => its.length), [1, 1, 0, 0, 0]);
  waiting[0][0].ack();
  assertEquals(acceptAll(clients), 0);
  // Whoever comes meanwhile has what the others have.
  const late = new TestClient(cache, { node: { id: "late", cluster: KEY } });
  late.subscribe(ClusterSchema);
  assertEquals(acceptAll([late]), 1);
  assertEquals(versions([late]), ["1"]);
  waiting[1][0].ack();
  assertEquals(acceptAll([...clients, late]), 4);
  assertEquals(versions([...clients, late]), Array(6).fill("2"));
  assertEquals((await settled).accepted, true);
  for (const client of [...clients, late]) client.close();
});

Deno.test("a NACK ends a rollout: it is taken back, and the rest never saw it", async () => {
  const rollbacks: [string, Rollback][] = [];
  const cache = cacheOf({
    rollout: { canary: 0.01 },
    onRollback: (key, rollback) => rollbacks.push([key, rollback]),
  });
  const [first, second] = [snapshot("1"), snapshot("2")];
  cache.set(KEY, first);
  const clients = clientsOf(cache, 3);
  acceptAll(clients);
  cache.set(KEY, second);
  const [canary, ...others] = clients;
  const [response] = canary.read();
  response.nack("a is bad");
  // It keeps what it had of what it nacked.
  assertEquals(acceptAll([canary]), 0);
  assertEquals(others.flatMap((client) => client.read()), []);
  assertEquals(versions(clients), ["1", "1", "1"]);
  assertEquals(cache.get(KEY), first);
  const { accepted, rollback } = await cache.settled(KEY);
  assertEquals([accepted, rollback?.refusal.message], [false, "a is bad"]);
  assertEquals(rollbacks, [[KEY, rollback!]]);
  assertEquals([rollback!.from, rollback!.to], [second, first]);
  for (const client of clients) client.close();
});

Deno.test("a rollout goes on with other nodes when those that tried it have left", async () => {
  const cache = cacheOf({ rollout: { canary: 0.01 } });
  cache.set(KEY, snapshot("1"));
  const [canary, next, last] = clientsOf(cache, 3);
  acceptAll([canary, next, last]);
  cache.set(KEY, snapshot("2"));
  canary.close();
  // The next in turn, and then, since it has accepted it, the last.
  assertEquals(acceptAll([last]), 0);
  assertEquals([acceptAll([next]), acceptAll([last])], [1, 1]);
  assertEquals(versions([next, last]), ["2", "2"]);
  assertEquals((await cache.settled(KEY)).accepted, true);
  for (const client of [next, last]) client.close();
});

Deno.test("rollback takes everybody back to what all had accepted", async () => {
  const cache = cacheOf({ onRefused: "rollback" });
  cache.set(KEY, snapshot("1"));
  const clients = clientsOf(cache, 3);
  acceptAll(clients);
  await cache.settled(KEY);
  cache.set(KEY, snapshot("2"));
  const [one, two, three] = clients;
  acceptAll([one]);
  const [response] = two.read();
  response.nack("a is bad");
  acceptAll(clients);
  acceptAll(clients);
  assertEquals(versions([one, two, three]), ["1", "1", "1"]);
  const { accepted, rollback } = await cache.settled(KEY);
  assertEquals([accepted, rollback?.client.node.id], [false, "node-1"]);
  for (const client of clients) client.close();
});

Deno.test("a share that is none is refused", () => {
  for (const canary of [0, -1, 1.1, NaN]) {
    assertThrows(
      () => new SnapshotCache({ rollout: { canary } }),
      RangeError,
      `rollout.canary is ${canary}: it must be above 0 and at most 1`,
    );
  }
});
