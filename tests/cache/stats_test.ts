import { create } from "@bufbuild/protobuf";
import { assertEquals } from "@std/assert";
import { ClusterSchema } from "@xds/envoy/envoy/config/cluster/v3";
import { TestClient } from "../../lib/testing/mod.ts";
import {
  type CacheStats,
  createSnapshot,
  LinearCache,
  OnDemandCache,
  SnapshotCache,
  TypeUrl,
} from "../../mod.ts";
import { readNext } from "../support/read_next.ts";
import { cluster, endpoints } from "../support/resources.ts";

function typesOf({ types }: CacheStats) {
  return Object.fromEntries(types);
}

/** Answers all that there is, in each of the steps of a change. */
function acceptAll(client: TestClient) {
  for (let read; (read = client.read()).length > 0;) {
    read.forEach((response) => response.ack());
  }
}

Deno.test("a SnapshotCache counts its groups' resources, watches, blocked watches and quarantine", () => {
  const cache = new SnapshotCache({
    ads: true,
    validate: "quarantine",
    onQuarantine: () => {},
  });
  assertEquals(cache.stats(), { unsettled: 0, types: new Map() });
  cache.set(
    "one",
    createSnapshot({
      resources: [cluster("a", "ads"), endpoints("a", 1), endpoints("b", 1)],
    }),
  );
  cache.set(
    "two",
    createSnapshot({
      resources: [
        cluster("a", "ads"),
        cluster("b", "ads"),
        endpoints("a", 1),
        endpoints("b", 1),
        create(ClusterSchema, { name: "bad", connectTimeout: {} }),
      ],
    }),
  );
  const none = { watches: 0, blocked: 0, quarantined: 0 };
  assertEquals(typesOf(cache.stats()), {
    [TypeUrl.Cluster]: { ...none, resources: 3, quarantined: 1 },
    [TypeUrl.ClusterLoadAssignment]: { ...none, resources: 4 },
  });
  const two = new TestClient(cache, { node: "two" });
  two.subscribe(TypeUrl.Cluster);
  two.subscribe(TypeUrl.ClusterLoadAssignment, ["a", "b"]);
  assertEquals(cache.stats().unsettled, 2);
  acceptAll(two);
  assertEquals(cache.stats().unsettled, 0);
  // The client is about to request the endpoints of a new cluster.
  const more = [cluster("c", "ads"), endpoints("c", 1), endpoints("a", 2)];
  cache.set("two", cache.get("two")!.with({ set: more }));
  const [clusters] = two.read();
  const { unsettled, types } = cache.stats();
  assertEquals(unsettled, 2);
  assertEquals(types.get(TypeUrl.ClusterLoadAssignment), {
    resources: 5,
    watches: 1,
    blocked: 1,
    quarantined: 0,
  });
  two.subscribe(TypeUrl.ClusterLoadAssignment, ["c"]);
  clusters.ack();
  acceptAll(two);
  const settled = cache.stats();
  assertEquals(settled.unsettled, 0);
  assertEquals(settled.types.get(TypeUrl.ClusterLoadAssignment)?.blocked, 0);
  // Nothing stays of a type that a client made up.
  two.subscribe("type.googleapis.com/made.Up");
  assertEquals(
    cache.stats().types.get("type.googleapis.com/made.Up")?.watches,
    1,
  );
  two.close();
  cache.delete("one");
  cache.delete("two");
  assertEquals(cache.stats(), { unsettled: 0, types: new Map() });
});

Deno.test("a watch that leaves while it is blocked is blocked no longer", () => {
  const cache = new SnapshotCache({ ads: true });
  const resources = [cluster("a", "ads"), endpoints("a", 1)];
  cache.set("one", createSnapshot({ resources }));
  using client = new TestClient(cache, { node: "one" });
  client.subscribe(TypeUrl.Cluster);
  client.subscribe(TypeUrl.ClusterLoadAssignment, ["a"]);
  acceptAll(client);
  const more = [cluster("b", "ads"), endpoints("b", 1), endpoints("a", 2)];
  cache.set("one", cache.get("one")!.with({ set: more }));
  assertEquals(client.read().map(({ typeUrl }) => typeUrl), [TypeUrl.Cluster]);
  const blocked = () =>
    cache.stats().types.get(TypeUrl.ClusterLoadAssignment)?.blocked;
  assertEquals(blocked(), 1);
  client.close();
  assertEquals(blocked(), 0);
});

Deno.test("a LinearCache counts at no cost, and an OnDemandCache what was found", async () => {
  const linear = new LinearCache(ClusterSchema, {
    resources: [cluster("a", "ads")],
    validate: "quarantine",
    onQuarantine: () => {},
  });
  linear.set(create(ClusterSchema, { name: "bad", connectTimeout: {} }));
  using client = new TestClient(linear);
  client.subscribe(ClusterSchema);
  const counts = { resources: 1, watches: 1, blocked: 0, quarantined: 1 };
  // Without an observer nobody looks for who has answered.
  assertEquals(linear.stats(), {
    unsettled: undefined,
    types: new Map([[TypeUrl.Cluster, counts]]),
  });
  const found = new OnDemandCache(({ name }) =>
    name === "a" ? create(ClusterSchema, { name }) : undefined
  );
  using asking = new TestClient(found, { protocol: "delta" });
  asking.subscribe(ClusterSchema, ["a", "none"]);
  (await readNext(asking)).ack();
  assertEquals(found.stats(), {
    unsettled: undefined,
    types: new Map([[TypeUrl.Cluster, { ...counts, quarantined: 0 }]]),
  });
});
