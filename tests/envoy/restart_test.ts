/** Control planes that restart while Envoy goes on serving. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  createSnapshot,
  LinearCache,
  MuxCache,
  serve,
  type Snapshot,
  TypeUrl,
} from "../../mod.ts";
import { Load } from "../lossless/load.ts";
import { bootstrap } from "../support/bootstrap.ts";
import { ConversationLog } from "../support/conversation_log.ts";
import { Envoy } from "../support/envoy.ts";
import { get } from "../support/http.ts";
import {
  cluster,
  endpoints,
  listener,
  rds,
  routes,
} from "../support/resources.ts";
import { until } from "../support/until.ts";
import { Upstream } from "../support/upstream.ts";
import { cluster as staticCluster, clusters } from "./_clusters.ts";
import { NODE, PROMPT, PROTOCOLS, Scene } from "./_scene.ts";

function leadingTo(name: string, upstream: Upstream): Snapshot {
  return createSnapshot({
    resources: [
      listener("web", { routeSpecifier: rds("routes", "ads") }),
      routes("routes", name),
      cluster(name, "ads"),
      endpoints(name, upstream.port),
    ],
  });
}

for (const { delta, protocol } of PROTOCOLS) {
  Deno.test(`a change during a restart loses no request, ${protocol}`, async () => {
    await using upstream = new Upstream("upstream");
    const snapshot = leadingTo("cluster-0", upstream);
    // Only routes change, which no drained connection keeps.
    const cache = { drain: 0 };
    await using scene = await Scene.start({ delta, snapshot, cache });
    await scene.log.explain(async () => {
      await scene.starts();
      await using load = new Load(await scene.envoy.port("web"), 200);
      for (let round = 1; round <= 4; round++) {
        const next = leadingTo(`cluster-${round}`, upstream);
        await scene.restart(next);
        assertEquals((await scene.settles()).accepted, true);
        const expected = [`cluster-${round} 2s`];
        await until(
          "the clusters to be replaced",
          async () => `${await clusters(scene.envoy)}` === `${expected}`,
          PROMPT,
        );
      }
      const { sent, answered, failures } = await load.end();
      assertEquals(failures, []);
      assertEquals(answered, sent);
      assert(sent > 0);
    });
  });

  Deno.test(`a control plane that has forgotten what it sent, ${protocol}`, async () => {
    await using upstream = new Upstream("upstream");
    const snapshot = leadingTo("before", upstream);
    await using scene = await Scene.start({ delta, snapshot });
    await scene.log.explain(async () => {
      await scene.starts();
      await scene.restart(leadingTo("after", upstream), { forget: true });
      assertEquals((await scene.settles()).accepted, true);
      const { body } = await get(await scene.envoy.port("web"));
      assertEquals(body, "upstream");
      const routes = await scene.envoy.admin(
        "/config_dump?resource=dynamic_route_configs",
      );
      assertStringIncludes(routes, '"after"');
    });
  });

  Deno.test(`a LinearCache that is not filled yet takes nothing from Envoy, ${protocol}`, async () => {
    const log = new ConversationLog();
    const listen = (port: number, names: string[]) => {
      const cache = new LinearCache(TypeUrl.Cluster);
      if (names.length > 0) cache.update({ set: names.map(two) });
      const mux = new MuxCache(({ typeUrl }) =>
        typeUrl === TypeUrl.Cluster ? cache : undefined
      );
      const observer = log.observe;
      const options = { cache: mux, hostname: "127.0.0.1", port, observer };
      return { cache, listening: serve(options) };
    };
    const first = listen(0, ["users", "carts"]);
    const server = await first.listening;
    const { port } = server.addr;
    await using envoy = await Envoy.start(
      bootstrap({ node: NODE, port, source: "ads", delta }),
    );
    await log.explain(async () => {
      await until(
        "the clusters",
        async () => (await clusters(envoy)).length === 2,
      );
      await server.shutdown();
      log.clear();
      const { cache, listening } = listen(port, []);
      await using _server = await listening;
      const isAsked = () =>
        log.events.some((event) =>
          event.kind === "request" && event.typeUrl === TypeUrl.Cluster
        );
      await until("Envoy to request clusters again", isAsked);
      // Anything sent in answer to the request is sent in the same turn.
      const sent = log.events.filter((event) =>
        event.kind === "send" && event.typeUrl === TypeUrl.Cluster
      );
      assertEquals(sent.length, 0);
      cache.update({ set: ["users", "carts", "new"].map(two) });
      const isFilled = async () => (await clusters(envoy)).length === 3;
      await until("the new cluster", isFilled, PROMPT);
      assertEquals(await envoy.stat("cluster_manager.cluster_removed"), 0);
    });
  });
}

function two(name: string) {
  return staticCluster(name, 2);
}
