import { create } from "@bufbuild/protobuf";
import { assertEquals, assertMatch } from "@std/assert";
import { ClusterSchema } from "@xds/envoy/envoy/config/cluster/v3";
import { TestClient } from "../../lib/testing/mod.ts";
import {
  type Cache,
  type Client,
  createSnapshot,
  type Explanation,
  LinearCache,
  MuxCache,
  OnDemandCache,
  SnapshotCache,
  TypeUrl,
} from "../../mod.ts";
import { FakeClock } from "../support/clock.ts";
import { deferred } from "../support/deferred.ts";
import { readNext } from "../support/read_next.ts";
import { cluster, endpoints, routes } from "../support/resources.ts";

const NODE = "edge-1";
const { Cluster, ClusterLoadAssignment, RouteConfiguration } = TypeUrl;

/** A cache that says who its last client is. */
function listening(cache: Cache): { cache: Cache; client: () => Client } {
  let client: Client;
  return {
    cache: {
      watch: (request, sink) => {
        ({ client } = request);
        return cache.watch(request, sink);
      },
    },
    client: () => client,
  };
}

/** The reason, and, if it is that something is blocked, by what. */
function reason({ reason, blocked }: Explanation): string[] {
  if (!blocked) return [reason];
  const awaited = blocked.waitingFor.flatMap(({ typeUrl, names }) => [
    typeUrl,
    ...names,
  ]);
  return [reason, blocked.reason, ...awaited];
}

/** Answers all that there is, in each of the steps of a change. */
function accept(client: TestClient) {
  for (let read; (read = client.read()).length > 0;) {
    read.forEach((response) => response.ack());
  }
}

Deno.test("every reason of a SnapshotCache, of a key and of one client", async () => {
  const clock = new FakeClock();
  const cache = new SnapshotCache({ ads: true, clock, validate: "quarantine" });
  const why = (typeUrl: string, name: string) => {
    const all = cache.explain(NODE, typeUrl, name);
    assertEquals(all.length, 1);
    return all[0];
  };
  assertEquals(reason(why(Cluster, "a")), ["no snapshot"]);
  const bad = create(ClusterSchema, { name: "bad", connectTimeout: {} });
  const { error } = console;
  console.error = () => {};
  cache.set(
    NODE,
    createSnapshot({
      resources: [
        cluster("a", "ads"),
        cluster("b", "ads"),
        endpoints("a", 1),
        endpoints("b", 1),
        routes("r", "a"),
        bad,
      ],
    }),
  );
  console.error = error;
  assertEquals(reason(why(Cluster, "a")), ["no client"]);
  assertMatch(why(Cluster, "a").version!, /^[0-9a-f]{16}$/);

  const heard = listening(cache);
  using client = new TestClient(heard.cache, { node: NODE });
  client.subscribe(Cluster);
  // It is there to be read, and was not read yet.
  assertEquals(reason(why(Cluster, "a")), ["pending"]);
  clock.advance(1_000);
  const [response] = client.read();
  const sent = why(Cluster, "a");
  assertEquals(reason(sent), ["sent"]);
  assertEquals([sent.sent, sent.sentAt], [sent.version, 1_000]);
  assertEquals(
    sent.message,
    `Cluster "a": node "edge-1" was sent version ${sent.version} at 1970-01-01T00:00:01.000Z, and has not answered`,
  );
  response.ack();
  assertEquals(reason(why(Cluster, "a")), ["acknowledged"]);
  assertEquals(reason(why(Cluster, "bad")), ["quarantined"]);
  assertMatch(why(Cluster, "bad").message, /is quarantined: connect_timeout/);
  assertEquals(reason(why(Cluster, "none")), ["not in the snapshot"]);
  assertEquals(reason(why(RouteConfiguration, "r")), ["not subscribed"]);
  client.subscribe(ClusterLoadAssignment, ["a", "b"]);
  client.subscribe(RouteConfiguration, ["r"]);
  accept(client);

  // The client is about to request the endpoints of a new cluster.
  const added = [cluster("d", "ads"), endpoints("d", 1), endpoints("a", 2)];
  cache.set(NODE, cache.get(NODE)!.with({ set: added }));
  const [more] = client.read();
  assertEquals(reason(why(ClusterLoadAssignment, "a")), [
    "blocked",
    "names_not_requested",
    ClusterLoadAssignment,
    "d",
  ]);
  assertMatch(
    why(ClusterLoadAssignment, "a").message,
    /has version .*: it waits until the client requests d, too$/,
  );
  client.subscribe(ClusterLoadAssignment, ["d"]);
  more.ack();
  accept(client);

  cache.set(
    NODE,
    createSnapshot({ resources: [cluster("c", "ads"), routes("r", "c")] }),
  );
  // It has the older version of what is next in turn, too.
  const [clusters] = client.read();
  assertEquals(reason(why(RouteConfiguration, "r")), [
    "blocked",
    "dependency_unacked",
    Cluster,
    "c",
  ]);
  clusters.nack("c: no such thing");
  const [rest] = client.read();
  assertEquals(rest.resources.map(({ name }) => name), ["a"]);
  rest.ack();
  const refused = why(Cluster, "c");
  assertEquals(reason(refused), ["refused"]);
  assertEquals(refused.refusal?.message, "c: no such thing");
  assertEquals(reason(why(RouteConfiguration, "r")), [
    "blocked",
    "dependency_nacked",
    Cluster,
    "c",
  ]);
  assertMatch(
    why(RouteConfiguration, "r").message,
    /it depends on Cluster, of which the client refused something: c: no such thing$/,
  );

  cache.set(
    NODE,
    createSnapshot({ resources: [cluster("a", "ads"), routes("r", "a")] }),
  );
  accept(client);
  cache.set(
    NODE,
    createSnapshot({
      resources: [cluster("a", "ads", { altStatName: "2" }), routes("r", "a")],
    }),
  );
  const superseded = why(Cluster, "a");
  assertEquals(reason(superseded), ["superseded"]);
  assertMatch(
    superseded.message,
    /has version .*; version .* supersedes it as soon as the client reads and answers$/,
  );
  accept(client);

  // Of one client, one answer, the same.
  const who = heard.client();
  assertEquals(cache.explain(who, Cluster, "a"), why(Cluster, "a"));
  client.close();
  const gone = cache.explain(who, Cluster, "a");
  assertEquals(gone.message, 'Cluster "a": node "edge-1" is not connected');
  assertEquals([reason(gone), gone.client], [["no client"], who]);
  cache.delete(NODE);
  assertEquals(reason(cache.explain(who, Cluster, "a")), ["no snapshot"]);
  await cache.settled(NODE);
});

Deno.test("a LinearCache says it of each client, or of one", () => {
  const cache = new LinearCache(ClusterSchema, {
    resources: [cluster("a", "ads")],
    validate: "quarantine",
    onQuarantine: () => {},
    clock: new FakeClock(),
  });
  assertEquals(reason(cache.explain("a")[0]), ["no client"]);
  const heard = listening(cache);
  using other = new TestClient(heard.cache, { node: "other" });
  other.subscribe(ClusterSchema, ["z"]);
  using client = new TestClient(heard.cache, { node: NODE });
  client.subscribe(ClusterSchema, ["a", "none", "bad"]);
  const why = (name: string) => cache.explain(name, heard.client());
  const [, pending] = cache.explain("a");
  assertEquals(pending, why("a"));
  assertEquals(reason(pending), ["pending"]);
  assertEquals(cache.explain("a").map(reason), [["not subscribed"], [
    "pending",
  ]]);
  const [response] = client.read();
  const sent = why("a");
  assertEquals([sent.reason, sent.sentAt], ["sent", 0]);
  response.ack();
  assertEquals(reason(why("a")), ["acknowledged"]);
  const none = why("none");
  assertEquals(reason(none), ["not in the cache"]);
  assertEquals(
    none.message,
    'Cluster "none": node "edge-1" cannot have it: it is not in the cache',
  );
  cache.set(create(ClusterSchema, { name: "bad", connectTimeout: {} }));
  assertEquals(reason(why("bad")), ["quarantined"]);
  cache.set(cluster("a", "ads", { altStatName: "2" }));
  assertEquals(reason(why("a")), ["superseded"]);
  client.read()[0].nack("a is bad");
  assertEquals(reason(why("a")), ["refused"]);
  client.close();
  assertEquals(
    why("a").message,
    'Cluster "a": node "edge-1" is not connected',
  );
});

Deno.test("a LinearCache says what a change waits for on a stream of several caches", () => {
  const makeBeforeBreak = true;
  const clusters = new LinearCache(Cluster, { makeBeforeBreak });
  const paths = new LinearCache(RouteConfiguration, { makeBeforeBreak });
  const cache = new MuxCache(({ typeUrl }) =>
    typeUrl === Cluster ? clusters : paths
  );
  using client = new TestClient(cache, { node: NODE });
  client.subscribe(Cluster);
  client.subscribe(RouteConfiguration, ["r"]);
  const replace = (name: string) => {
    clusters.replace([cluster(name, "ads")]);
    paths.replace([routes("r", name)]);
  };
  replace("z");
  accept(client);
  replace("a");
  const [response] = client.read();
  assertEquals(reason(paths.explain("r")[0]), [
    "blocked",
    "dependency_unacked",
    Cluster,
    "a",
  ]);
  response.nack("a is bad");
  assertEquals(client.read(), []);
  assertMatch(
    paths.explain("r")[0].message,
    /it depends on Cluster, of which the client refused something: a is bad$/,
  );
});

Deno.test("an OnDemandCache says what is yet to be found", async () => {
  const found = deferred<undefined>();
  const cache = new OnDemandCache(({ name }) =>
    name === "a" ? create(ClusterSchema, { name }) : found.promise
  );
  assertEquals(reason(cache.explain(Cluster, "a")[0]), ["no client"]);
  const heard = listening(cache);
  using client = new TestClient(heard.cache, {
    node: NODE,
    protocol: "delta",
  });
  client.subscribe(ClusterSchema, ["a", "b"]);
  (await readNext(client)).ack();
  const why = (name: string) => cache.explain(Cluster, name, heard.client());
  assertEquals(reason(why("a")), ["acknowledged"]);
  assertEquals(reason(why("b")), ["looked up"]);
  assertEquals(
    why("b").message,
    'Cluster "b": node "edge-1" has not been sent it: it is not known yet if there is one',
  );
  assertEquals(reason(cache.explain(Cluster, "c")[0]), ["not subscribed"]);
  found.resolve(undefined);
  (await readNext(client)).ack();
  assertEquals(reason(why("b")), ["not in the cache"]);
});
