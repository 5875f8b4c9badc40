import { assertEquals, assertMatch } from "@std/assert";
import {
  createSnapshot,
  serve,
  SnapshotCache,
  type SnapshotCacheOptions,
  TypeUrl,
} from "../../mod.ts";
import { bootstrap } from "../support/bootstrap.ts";
import { Envoy } from "../support/envoy.ts";
import { cluster, clusters } from "./_clusters.ts";

const KEY = "fleet";

/** Two Envoys of one group, that have the cluster `users`, with a second to connect. */
async function fleet(options: SnapshotCacheOptions) {
  await using stack = new AsyncDisposableStack();
  const cache = new SnapshotCache({ ...options, nodeKey: () => KEY });
  const set = (users: number, carts = 1) =>
    cache.set(
      KEY,
      createSnapshot({
        resources: [cluster("users", users), cluster("carts", carts)],
      }),
    );
  set(1);
  const listening = serve({ cache, hostname: "127.0.0.1", port: 0 });
  const { addr: { port } } = stack.use(await listening);
  const starting = ["edge-1", "edge-2"].map((node) =>
    Envoy.start(bootstrap({ node, port, source: "ads", delta: true }))
  );
  const envoys = [];
  for (const envoy of starting) envoys.push(stack.use(await envoy));
  for (const envoy of envoys) await envoy.live();
  assertEquals((await cache.settled(KEY)).accepted, true);
  const moved = stack.move();
  return {
    cache,
    envoys,
    set,
    [Symbol.asyncDispose]: () => moved.disposeAsync(),
  };
}

const before = ["carts 1s", "users 1s"];

Deno.test("what a canary Envoy refuses, the other Envoy never sees, and the canary goes back", async () => {
  await using at = await fleet({ rollout: { canary: 0.5 } });
  at.set(0);
  const { accepted, rollback } = await at.cache.settled(KEY);
  assertEquals(accepted, false);
  assertMatch(rollback!.refusal.message, /connect_?timeout/i);
  const { version } = at.cache.get(KEY)!.resources(TypeUrl.Cluster)
    .get("users")!;
  for (const envoy of at.envoys) assertEquals(await clusters(envoy), before);
  // The other was never sent it.
  const refused = await Promise.all(at.envoys.map(stats));
  assertEquals(
    refused.map(({ update_rejected }) => update_rejected).sort(),
    [0, 1],
  );
  for (const told of at.cache.explain(KEY, TypeUrl.Cluster, "users")) {
    assertEquals([told.reason, told.version], ["acknowledged", version]);
  }

  at.set(2);
  assertEquals((await at.cache.settled(KEY)).accepted, true);
  for (const envoy of at.envoys) {
    assertEquals(await clusters(envoy), ["carts 1s", "users 2s"]);
  }
});

Deno.test("a snapshot that Envoys refuse is taken back from all of them", async () => {
  await using at = await fleet({ onRefused: "rollback" });
  at.set(0, 5);
  const { accepted, rollback } = await at.cache.settled(KEY);
  assertEquals(accepted, false);
  assertMatch(rollback!.refusal.message, /connect_?timeout/i);
  for (const envoy of at.envoys) assertEquals(await clusters(envoy), before);
});

Deno.test("Envoys are not sent what is in quarantine, but its last good form, and all the rest", async () => {
  const told: string[] = [];
  await using at = await fleet({
    validate: "quarantine",
    onQuarantine: (_key, all) =>
      told.push(...all.map(({ resource }) => resource.name)),
  });
  at.set(0, 5);
  assertEquals((await at.cache.settled(KEY)).accepted, true);
  assertEquals(told, ["users"]);
  for (const envoy of at.envoys) {
    assertEquals(await clusters(envoy), ["carts 5s", "users 1s"]);
    assertEquals((await stats(envoy)).update_rejected, 0);
  }
  for (
    const { quarantined } of at.cache.explain(KEY, TypeUrl.Cluster, "users")
  ) {
    assertEquals(quarantined?.violations[0].path, "connect_timeout");
  }
});

/** How often Envoy took clusters, and refused them. */
async function stats(envoy: Envoy): Promise<Record<string, number>> {
  const text = await envoy.admin("/stats?filter=cluster_manager.cds.update_");
  const lines = text.trim().split("\n").map((line) => line.split(": "));
  return Object.fromEntries(
    lines.map(([name, value]) => [name.split(".").at(-1), Number(value)]),
  );
}
