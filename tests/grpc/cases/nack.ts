/** NACKs of proxyless gRPC clients are reported with the client's message, and calls go on with what the client had. */
import { create } from "@bufbuild/protobuf";
import { assertEquals, assertMatch } from "@std/assert";
import {
  CircuitBreakersSchema,
  Cluster_LbPolicy,
} from "@xds/envoy/envoy/config/cluster/v3";
import type { RouteConfiguration } from "@xds/envoy/envoy/config/route/v3";
import {
  createSnapshot,
  serve,
  type ServerEvent,
  SnapshotCache,
  TypeUrl,
} from "../../../mod.ts";
import { cluster } from "../../support/resources.ts";
import { Backend } from "../_backend.ts";
import { GrpcClient, implementations } from "../_client.ts";
import { backendCluster, echo, splitRoutes } from "../_resources.ts";

const NODE = "client-1";

const circuitBreakers = create(CircuitBreakersSchema, {
  thresholds: [{ maxRequests: 100 }],
});

function withoutMatch(routes: RouteConfiguration): RouteConfiguration {
  routes.virtualHosts[0].routes[0].match = undefined;
  return routes;
}

for (const implementation of implementations) {
  Deno.test(`gRPC in ${implementation.name} NACKs with a message of its own`, async () => {
    await using one = await Backend.start("backend-one");
    await using two = await Backend.start("backend-two");
    const split = () =>
      splitRoutes("echo-routes", "backend-one", "backend-two");
    const good = createSnapshot({
      resources: [...echo(one), ...backendCluster(two)],
    }).with({ set: [split()] });
    const cache = new SnapshotCache({ ads: true });
    cache.set(NODE, good);
    const nacks: Extract<ServerEvent, { kind: "nack" }>[] = [];
    await using server = await serve({
      cache,
      hostname: "127.0.0.1",
      port: 0,
      observer: (event) => {
        if (event.kind === "nack") nacks.push(event);
      },
    });
    await using client = await GrpcClient.start(implementation, {
      node: NODE,
      target: "echo",
      server,
    });
    const nacked = async () => {
      const signal = AbortSignal.timeout(15_000);
      const { accepted, clients } = await cache.settled(NODE, { signal });
      const types = clients.flatMap(({ types }) => types).filter(({ state }) =>
        state === "refused"
      );
      assertEquals(accepted, types.length === 0);
      return types;
    };
    const bothAnswer = async () => {
      await client.answers(one.name);
      await client.answers(two.name);
    };
    await bothAnswer();
    assertEquals(await nacked(), []);

    // A policy that Envoy supports and gRPC does not, and a valid cluster.
    const maglev = { lbPolicy: Cluster_LbPolicy.MAGLEV };
    cache.set(
      NODE,
      good.with({
        set: [
          cluster("backend-one", "ads", { circuitBreakers }),
          cluster("backend-two", "ads", maglev),
        ],
      }),
    );
    const [clusters, ...others] = await nacked();
    assertEquals(others, []);
    assertEquals(clusters.typeUrl, TypeUrl.Cluster);
    assertEquals(clusters.refusal!.names, ["backend-two"]);
    assertMatch(clusters.refusal!.message, /lb[_ ]?policy/i);
    assertEquals(nacks.map(({ refusal }) => refusal), [clusters.refusal]);
    await bothAnswer();

    // Corrected clusters, and routes that are invalid for every client.
    cache.set(NODE, good.with({ set: [withoutMatch(split())] }));
    const [routes, ...more] = await nacked();
    assertEquals(more, []);
    assertEquals(routes.typeUrl, TypeUrl.RouteConfiguration);
    assertEquals(routes.refusal!.names, ["echo-routes"]);
    assertMatch(routes.refusal!.message, /match/);
    assertEquals(nacks.length, 2);
    await bothAnswer();

    cache.set(NODE, good);
    assertEquals(await nacked(), []);
    await bothAnswer();
    assertEquals(nacks.length, 2);
  });
}
