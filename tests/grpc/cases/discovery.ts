/** Proxyless gRPC clients find their backends and follow what changes, with no call that fails. */
import { assertEquals } from "@std/assert";
import {
  createSnapshot,
  serve,
  type ServerEvent,
  shortName,
  SnapshotCache,
  type SnapshotChange,
  TypeUrl,
} from "../../../mod.ts";
import { routes } from "../../support/resources.ts";
import { until } from "../../support/until.ts";
import { Backend } from "../_backend.ts";
import { GrpcClient, implementations } from "../_client.ts";
import { sent } from "../_events.ts";
import {
  backendCluster,
  echo,
  localEndpoints,
  splitRoutes,
} from "../_resources.ts";

const NODE = "client-1";

for (const implementation of implementations) {
  for (const legacyWildcard of [true, false]) {
    const how = `legacyWildcard: ${legacyWildcard}`;
    Deno.test(`gRPC in ${implementation.name} follows what changes, with ${how}`, async () => {
      await using one = await Backend.start("backend-one");
      await using two = await Backend.start("backend-two");
      const cache = new SnapshotCache({ ads: true });
      cache.set(NODE, createSnapshot({ resources: echo(one) }));
      assertEquals(cache.get(NODE)!.check(), []);
      const events: ServerEvent[] = [];
      await using server = await serve({
        cache,
        hostname: "127.0.0.1",
        port: 0,
        legacyWildcard,
        observer: (event) => events.push(event),
      });
      await using client = await GrpcClient.start(implementation, {
        node: NODE,
        target: "echo",
        server,
      });
      const change = (change: SnapshotChange) => {
        events.length = 0;
        cache.set(NODE, cache.get(NODE)!.with(change));
      };
      const settled = async () => {
        const signal = AbortSignal.timeout(15_000);
        const { accepted, clients } = await cache.settled(NODE, { signal });
        assertEquals(accepted, true);
        return clients.flatMap(({ types }) => types).map(
          ({ typeUrl, subscription: { wildcard, names } }) =>
            [
              shortName(typeUrl),
              ...wildcard ? ["*"] : [],
              ...[...names].sort(),
            ].join(" "),
        );
      };
      const reaches = async (backend: Backend) => {
        const isFailure = (line: string) =>
          !line.startsWith("OK ") && !implementation.ownFailure?.test(line);
        const lines = await client.answers(backend.name);
        assertEquals(lines.filter(isFailure), []);
      };

      assertEquals(await client.call(), "OK backend-one");
      const all = [
        "Listener echo",
        "RouteConfiguration echo-routes",
        "Cluster backend-one",
        "ClusterLoadAssignment backend-one",
      ];
      assertEquals(await settled(), all);
      assertEquals(sent(events), all);

      // Endpoints alone: nothing else is sent.
      change({ set: [localEndpoints("backend-one", two)] });
      await reaches(two);
      await settled();
      assertEquals(sent(events), ["ClusterLoadAssignment backend-one"]);
      change({ set: [localEndpoints("backend-one", one)] });
      await reaches(one);

      // Routes to a cluster that the client has never heard of, in place of the one that it has.
      change({
        set: [...backendCluster(two), routes("echo-routes", "backend-two")],
        delete: [
          { typeUrl: TypeUrl.Cluster, name: "backend-one" },
          { typeUrl: TypeUrl.ClusterLoadAssignment, name: "backend-one" },
        ],
      });
      await reaches(two);
      const replaced = [
        "Listener echo",
        "RouteConfiguration echo-routes",
        "Cluster backend-two",
        implementation.retainsEndpoints
          ? "ClusterLoadAssignment backend-one backend-two"
          : "ClusterLoadAssignment backend-two",
      ];
      // A client asks for a cluster for as long as a call may still be under way to it.
      await until("the client to ask for its new cluster alone", async () => {
        await reaches(two);
        return String(await settled()) === String(replaced);
      });

      // Two clusters at once.
      change({
        set: [
          ...backendCluster(one),
          splitRoutes("echo-routes", "backend-one", "backend-two"),
        ],
      });
      await reaches(one);
      await reaches(two);
      assertEquals(await settled(), [
        "Listener echo",
        "RouteConfiguration echo-routes",
        "Cluster backend-one backend-two",
        "ClusterLoadAssignment backend-one backend-two",
      ]);

      // A client that is done ends its stream as it should.
      assertEquals(await client.end(), 0);
      await until("the stream to end", () => events.at(-1)?.kind === "close");
      assertEquals(events.filter(({ kind }) => kind === "nack"), []);
    });
  }
}
