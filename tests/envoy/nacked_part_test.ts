import { assertEquals } from "@std/assert";
import { createSnapshot } from "../../mod.ts";
import { cluster, clusters } from "./_clusters.ts";
import { PROTOCOLS, Scene } from "./_scene.ts";

/** Two clusters; Envoy nacks one that has no time to connect. */
function withTimeouts(users: number, carts: number) {
  return createSnapshot({
    resources: [cluster("users", users), cluster("carts", carts)],
  });
}

for (const { delta, protocol } of PROTOCOLS) {
  Deno.test(`Envoy rejects a response of which one cluster is invalid, and gets the others without asking, ${protocol}`, async () => {
    const snapshot = withTimeouts(1, 1);
    await using scene = await Scene.start({ delta, snapshot });
    const { envoy, log } = scene;
    await log.explain(async () => {
      await scene.starts();
      scene.set(withTimeouts(7, 0));
      assertEquals((await scene.settles()).accepted, false);
      assertEquals(await clusters(envoy), ["carts 1s", "users 7s"]);

      scene.set(withTimeouts(7, 8));
      assertEquals((await scene.settles()).accepted, true);
      assertEquals(await clusters(envoy), ["carts 8s", "users 7s"]);
    });
  });
}
