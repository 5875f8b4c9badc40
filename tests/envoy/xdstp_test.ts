import { assertEquals } from "@std/assert";
import { createSnapshot, serve, SnapshotCache, TypeUrl } from "../../mod.ts";
import { bootstrap } from "../support/bootstrap.ts";
import { Envoy } from "../support/envoy.ts";
import { get } from "../support/http.ts";
import { cluster, endpoints, listener, routes } from "../support/resources.ts";
import { until } from "../support/until.ts";
import { Upstream } from "../support/upstream.ts";

const NODE = "envoy-xdstp";
const CLUSTERS = "xdstp://authority.test/envoy.config.cluster.v3.Cluster/fleet";
const LISTENERS =
  "xdstp://authority.test/envoy.config.listener.v3.Listener/fleet";
const ENDPOINTS =
  "xdstp://authority.test/envoy.config.endpoint.v3.ClusterLoadAssignment/one";

/** Names of the clusters that an Envoy has, but for its bootstrap's. */
async function clusters(envoy: Envoy): Promise<string[]> {
  const { cluster_statuses: all } = JSON.parse(
    await envoy.admin("/clusters?format=json"),
  );
  return all.map(({ name }: { name: string }) => name)
    .filter((name: string) => name !== "control_plane");
}

Deno.test("a real Envoy gets clusters and listeners by xdstp collections, and endpoints by an xdstp name", async () => {
  await using one = new Upstream("upstream-one");
  await using two = new Upstream("upstream-two");
  // Envoy adds what its bootstrap says of the node, and sorts.
  const context = `?tier=edge&xds.node.id=${NODE}`;
  const clusterNamed = (name: string) => {
    const message = cluster(`${CLUSTERS}/${name}${context}`, "ads");
    message.edsClusterConfig!.serviceName = ENDPOINTS;
    return message;
  };
  const web = (name: string, to: string) =>
    listener(`${LISTENERS}/${name}${context}`, {
      routeSpecifier: { case: "routeConfig", value: routes("r", to) },
    });
  const cache = new SnapshotCache({
    nodeKey: ({ dynamicParameters }) =>
      dynamicParameters[TypeUrl.Cluster]?.params.tier,
  });
  const first = clusterNamed("one");
  const second = clusterNamed("two");
  const snapshot = createSnapshot({
    resources: [
      first,
      endpoints(ENDPOINTS, one.port),
      web("web", first.name),
      // In no collection that is asked for.
      cluster("plain", "ads"),
      cluster(`${CLUSTERS}/other`, "ads"),
    ],
  });
  cache.set("edge", snapshot);
  const asked = new Map<string, string[]>();
  await using server = await serve({
    cache,
    hostname: "127.0.0.1",
    port: 0,
    observer: (event) => {
      if (event.kind === "subscribe") {
        asked.set(event.typeUrl, [...event.subscription.names]);
      }
    },
  });
  const options = {
    node: NODE,
    port: server.addr.port,
    source: "ads",
  } as const;
  const config = bootstrap({ ...options, delta: true });
  Object.assign(config.dynamic_resources as object, {
    cds_resources_locator: `${CLUSTERS}/*?tier=edge`,
    lds_resources_locator: `${LISTENERS}/*?tier=edge`,
  });
  config.node_context_params = ["id"];
  Object.assign(config.node as object, {
    dynamic_parameters: { [TypeUrl.Cluster]: { params: { tier: "edge" } } },
  });
  await using envoy = await Envoy.start(config);
  await envoy.live();
  const port = await envoy.port(web("web", "").name);
  assertEquals((await get(port)).body, "upstream-one");
  assertEquals(asked.get(TypeUrl.Cluster), [`${CLUSTERS}/*${context}`]);
  assertEquals(asked.get(TypeUrl.Listener), [`${LISTENERS}/*${context}`]);
  assertEquals(asked.get(TypeUrl.ClusterLoadAssignment), [ENDPOINTS]);
  assertEquals(await clusters(envoy), [first.name]);

  cache.set(
    "edge",
    snapshot.with({ set: [second, endpoints(ENDPOINTS, two.port)] }),
  );
  await until(
    "the other endpoints",
    async () => (await get(port)).body === "upstream-two",
  );
  await until(
    "the other cluster",
    async () => (await clusters(envoy)).includes(second.name),
  );
  cache.set("edge", snapshot);
  await until(
    "the end of the other cluster",
    async () => !(await clusters(envoy)).includes(second.name),
  );
  const { accepted } = await cache.settled("edge", {
    signal: AbortSignal.timeout(10_000),
  });
  assertEquals(accepted, true);
});
