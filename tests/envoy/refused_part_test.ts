import { assertEquals } from "@std/assert";
import { createSnapshot, serve, SnapshotCache } from "../../mod.ts";
import { bootstrap } from "../support/bootstrap.ts";
import { Envoy } from "../support/envoy.ts";
import { cluster, clusters } from "./_clusters.ts";

const NODE = "refused-part";

Deno.test("Envoy takes nothing of a delta response of which a part breaks a rule, and gets the rest by itself", async () => {
  const cache = new SnapshotCache();
  await using server = await serve({ cache, hostname: "127.0.0.1", port: 0 });
  const set = (users: number, carts: number) =>
    cache.set(
      NODE,
      createSnapshot({
        resources: [cluster("users", users), cluster("carts", carts)],
      }),
    );
  set(1, 1);
  const { port } = server.addr;
  const source = "ads";
  await using envoy = await Envoy.start(
    bootstrap({ node: NODE, port, source, delta: true }),
  );
  await envoy.live();
  await cache.settled(NODE);

  set(7, 0);
  const { accepted } = await cache.settled(NODE);
  assertEquals(accepted, false);
  assertEquals(await clusters(envoy), ["carts 1s", "users 7s"]);

  set(7, 8);
  assertEquals((await cache.settled(NODE)).accepted, true);
  assertEquals(await clusters(envoy), ["carts 8s", "users 7s"]);
});
