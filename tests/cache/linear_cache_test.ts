import { cpuUsage } from "node:process";
import { create, fromBinary } from "@bufbuild/protobuf";
import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  type Cluster,
  ClusterSchema,
} from "@xds/envoy/envoy/config/cluster/v3";
import { ListenerSchema } from "@xds/envoy/envoy/config/listener/v3";
import {
  createResource,
  LinearCache,
  RequestError,
  serve,
  TypeUrl,
} from "../../mod.ts";
import { View } from "../../lib/cache/mod.ts";
import { FakeClock } from "../support/clock.ts";
import { GrpcClient } from "../support/grpc_client.ts";
import { client, Probe } from "./_probe.ts";

function cluster(name: string, altStatName = ""): Cluster {
  return create(ClusterSchema, { name, altStatName });
}

Deno.test("resources are set, got, counted, named and deleted", () => {
  const cache = new LinearCache(ClusterSchema, { resources: [cluster("a")] });
  assertEquals(cache.typeUrl, TypeUrl.Cluster);
  cache.set(cluster("b"));
  const c = createResource(cluster("c"), { version: "7" });
  cache.set(c);
  assertEquals(cache.size, 3);
  assertEquals([...cache.names()], ["a", "b", "c"]);
  assertStrictEquals(cache.get("c"), c);
  assertEquals(cache.get("x"), undefined);

  cache.set(cluster("a", "other"));
  assertEquals(cache.size, 3);
  const { altStatName } = fromBinary(ClusterSchema, cache.get("a")!.bytes);
  assertEquals(altStatName, "other");

  assertEquals(cache.delete("a"), true);
  assertEquals(cache.delete("a"), false);
  assertEquals([...cache.names()], ["b", "c"]);
});

Deno.test("what does not fit a linear cache is turned away, and nothing changes", () => {
  const cache = new LinearCache(ClusterSchema, {
    resources: [cluster("a")],
    versionPrefix: "p",
  });
  const { version } = cache;
  const listener = createResource(create(ListenerSchema, { name: "l" }));
  assertThrows(
    () => cache.update({ set: [cluster("b"), listener], delete: ["a"] }),
    TypeError,
    `${TypeUrl.Listener} "l" is no ${TypeUrl.Cluster}, which is what this cache is for`,
  );
  assertThrows(
    () => cache.update({ set: [cluster("b"), cluster("b", "2")] }),
    TypeError,
    `two resources of type ${TypeUrl.Cluster} are named "b"`,
  );
  assertThrows(
    () => cache.replace([cluster("b"), cluster("")]),
    TypeError,
    "a envoy.config.cluster.v3.Cluster has no name: set it, or pass { name } with it",
  );
  assertThrows(
    () =>
      new LinearCache(ClusterSchema, {
        resources: [cluster("a"), cluster("a")],
      }),
    TypeError,
    `two resources of type ${TypeUrl.Cluster} are named "a"`,
  );
  assertEquals([...cache.names()], ["a"]);
  assertEquals(cache.version, version);

  const error = assertThrows(
    () => new Probe(cache, TypeUrl.Listener, ["*"]),
    RequestError,
    `what is served here is ${TypeUrl.Cluster}, not ${TypeUrl.Listener}`,
  );
  assertEquals((error as RequestError).code, "invalid_argument");
});

Deno.test("versions are those of the content, and the same wherever it is", () => {
  const one = new LinearCache(ClusterSchema);
  const empty = one.version;
  assertMatch(empty, /^[0-9a-f]{16}$/);
  one.set(cluster("a"));
  const a = one.version;
  one.set(cluster("b"));
  assertNotEquals(one.version, a);

  const resources = [cluster("b"), cluster("a")];
  const other = new LinearCache(ClusterSchema, { resources });
  assertEquals(other.version, one.version);
  other.delete("b");
  assertEquals(other.version, a);
  other.replace([]);
  assertEquals(other.version, empty);
});

Deno.test("with a prefix, versions count changes", () => {
  const cache = new LinearCache(ClusterSchema, { versionPrefix: "pod-1/" });
  assertEquals(cache.version, "pod-1/0");
  cache.update({ set: [cluster("a"), cluster("b")] });
  assertEquals(cache.version, "pod-1/1");
  cache.delete("x");
  assertEquals(cache.version, "pod-1/1");
  cache.update({ set: [cluster("c")], delete: ["a", "b", "x"] });
  assertEquals(cache.version, "pod-1/2");
  assertEquals([...cache.names()], ["c"]);
});

Deno.test("an update is one change, in which what is set is not deleted", () => {
  const cache = new LinearCache(ClusterSchema, {
    resources: [cluster("a"), cluster("b")],
  });
  using all = new Probe(cache, cache.typeUrl, ["*"]);
  cache.update({
    set: [cluster("a", "2"), cluster("c")],
    delete: ["a", "b", "x"],
  });
  assertEquals(all.changes, [undefined, ["b", "a", "c"]]);
  assertEquals([...cache.names()], ["a", "c"]);
});

Deno.test("replacing tells of what differs, and of nothing if nothing does", () => {
  const resources = [cluster("a"), cluster("b"), cluster("c")];
  const cache = new LinearCache(ClusterSchema, { resources });
  using all = new Probe(cache, cache.typeUrl, ["*"]);
  cache.replace([cluster("c"), cluster("a", "2"), cluster("d")]);
  assertEquals(all.changes.slice(1), [["b", "a", "d"]]);
  const { version } = cache;
  cache.replace([cluster("a", "2"), cluster("c"), cluster("d")]);
  cache.set(cluster("d"));
  assertEquals(all.changes.length, 2);
  assertEquals(cache.version, version);
});

Deno.test("a change is told to the watches that it concerns, and to no other", () => {
  const cache = new LinearCache(ClusterSchema, { resources: [] });
  using a = new Probe(cache, cache.typeUrl, ["a"]);
  using ab = new Probe(cache, cache.typeUrl, ["a", "b"]);
  using all = new Probe(cache, cache.typeUrl, ["*"]);
  const none = Array.from(
    { length: 100 },
    (_, i) => new Probe(cache, cache.typeUrl, [`x${i}`]),
  );
  const calls = () => [a, ab, all].map(({ changes }) => changes.length);
  assertEquals(calls(), [1, 1, 1]);

  cache.set(cluster("a"));
  assertEquals(calls(), [2, 2, 2]);
  cache.set(cluster("b"));
  assertEquals(calls(), [2, 3, 3]);
  cache.update({ set: [cluster("c")], delete: ["b"] });
  assertEquals(calls(), [2, 4, 4]);
  a.ask("c");
  assertEquals(a.names, ["c"]);
  assertEquals(calls(), [3, 4, 4]);
  cache.set(cluster("a", "2"));
  assertEquals(calls(), [3, 5, 5]);
  cache.delete("c");
  assertEquals(calls(), [4, 5, 6]);
  ab[Symbol.dispose]();
  all.ask("q");
  cache.set(cluster("a", "3"));
  assertEquals(calls(), [4, 5, 7]);
  for (const probe of none) {
    assertEquals(probe.changes.length, 1);
    probe[Symbol.dispose]();
  }
});

Deno.test("a cache that was given nothing yet is silent, and one that was given no resources is empty", () => {
  const cache = new LinearCache(ClusterSchema);
  using a = new Probe(cache, cache.typeUrl, ["a"]);
  using all = new Probe(cache, cache.typeUrl, ["*"]);
  assertEquals([a.view, all.view], [undefined, undefined]);
  a.ask("a", "b");
  assertEquals(a.view, undefined);
  cache.set(cluster("c"));
  assertEquals([a.names, all.names], [[], ["c"]]);
  assertEquals(a.knows("a", "b"), true);
  using late = new Probe(cache, cache.typeUrl, ["*"]);
  assertEquals(late.names, ["c"]);

  for (
    const fill of [
      () => new LinearCache(ClusterSchema, { resources: [] }),
      () => {
        const cache = new LinearCache(ClusterSchema);
        cache.replace([]);
        return cache;
      },
    ]
  ) {
    const cache = fill();
    using probe = new Probe(cache, cache.typeUrl, ["*"]);
    assertEquals(probe.view?.resources.size, 0);
  }
});

Deno.test("a resource's TTL alone is a change, and is refreshed for those who ask for it", () => {
  const clock = new FakeClock();
  const cache = new LinearCache(ClusterSchema, {
    resources: [cluster("a"), cluster("b")],
    clock,
  });
  const all = new Probe(cache, cache.typeUrl, ["*"]);
  const a = new Probe(cache, cache.typeUrl, ["a"]);
  const b = new Probe(cache, cache.typeUrl, ["b"]);
  const beats = () => [all, a, b].map(({ heartbeats }) => heartbeats);
  clock.advance(60_000);
  assertEquals(beats(), [0, 0, 0]);
  assertEquals(clock.pending, 0);

  cache.set(createResource(cluster("a"), { ttl: 30_000 }));
  assertEquals(a.changes.length, 2);
  clock.advance(8_999);
  assertEquals(beats(), [0, 0, 0]);
  clock.advance(2_001);
  assertEquals(beats(), [1, 1, 0]);
  clock.advance(11_000);
  assertEquals(beats(), [2, 2, 0]);

  cache.set(cluster("a"));
  clock.advance(60_000);
  assertEquals(beats(), [2, 2, 0]);
  assertEquals(clock.pending, 0);

  cache.set(createResource(cluster("a"), { ttl: 30_000 }));
  assertEquals(clock.pending, 1);
  for (const probe of [all, a, b]) probe[Symbol.dispose]();
  assertEquals(clock.pending, 0);
});

Deno.test("the interval of heartbeats deviates by a tenth at most, and does deviate", () => {
  for (const [heartbeat, middle] of [[undefined, 10_000], [500, 500]]) {
    const delays: number[] = [];
    const clock = new FakeClock();
    const cache = new LinearCache(ClusterSchema, {
      resources: [createResource(cluster("a"), { ttl: 30_000 })],
      heartbeat,
      clock: {
        now: () => clock.now(),
        after(delay, callback) {
          delays.push(delay);
          return clock.after(delay, callback);
        },
      },
    });
    using probe = new Probe(cache, cache.typeUrl, ["a"]);
    clock.advance(middle! * 200);
    assertEquals(probe.heartbeats >= 180, true);
    assertEquals(Math.min(...delays) >= middle! * 0.9, true);
    assertEquals(Math.max(...delays) <= middle! * 1.1, true);
    assertEquals(
      Math.max(...delays) - Math.min(...delays) > middle! / 10,
      true,
    );
  }
});

Deno.test("names with context parameters are the same in any order", () => {
  const cache = new LinearCache(ClusterSchema);
  cache.set(cluster("xdstp://x/t/c/one?b=1&a=2"));
  assertEquals([...cache.names()], ["xdstp://x/t/c/one?a=2&b=1"]);
  const said = "xdstp://x/t/c/one?b=1&a=2";
  assertEquals(cache.get(said)?.name, "xdstp://x/t/c/one?a=2&b=1");
  cache.update({ set: [cluster(said, "2")], delete: [said] });
  assertEquals(cache.size, 1);
  assertEquals(cache.delete(said), true);
  assertEquals(cache.size, 0);
});

Deno.test("a change concerns the collection that it is in", () => {
  const cache = new LinearCache(ClusterSchema, { resources: [] });
  using one = new Probe(cache, cache.typeUrl, ["xdstp://x/t/c/*"]);
  using two = new Probe(cache, cache.typeUrl, ["xdstp://x/t/c/*?a=2&b=1"]);
  cache.set(cluster("xdstp://x/t/c/one?b=1&a=2"));
  cache.set(cluster("xdstp://x/t/d/one"));
  assertEquals(one.changes.length, 1);
  assertEquals(two.changes, [undefined, ["xdstp://x/t/c/one?a=2&b=1"]]);
});

for (const protocol of ["sotw", "delta"] as const) {
  Deno.test(`${protocol}: a client gets the collections and names of a linear cache that it asks for`, async () => {
    const cache = new LinearCache(ClusterSchema, {
      resources: [
        cluster("xdstp://x/t/c/one?a=2&b=1"),
        cluster("xdstp://x/t/c/two?b=1&a=2"),
        cluster("xdstp://x/t/c/other"),
        cluster("plain"),
        cluster("unwanted"),
      ],
    });
    await using server = await serve({ cache, hostname: "127.0.0.1", port: 0 });
    using grpc = new GrpcClient(server.addr.port);
    const names = ["xdstp://x/t/c/*?b=1&a=2", "plain"];
    const first = [
      "plain",
      "xdstp://x/t/c/one?a=2&b=1",
      "xdstp://x/t/c/two?a=2&b=1",
    ];
    const { node } = client();
    const typeUrl = TypeUrl.Cluster;
    if (protocol === "delta") {
      const stream = grpc.delta();
      stream.send({ node, typeUrl, resourceNamesSubscribe: names });
      const { resources, nonce, systemVersionInfo } = await stream.next();
      assertEquals(resources.map(({ name }) => name).sort(), first);
      assertEquals(systemVersionInfo, cache.version);
      stream.send({ typeUrl, responseNonce: nonce });
      cache.update({
        set: [cluster("xdstp://x/t/c/three?a=2&b=1"), cluster("unwanted", "2")],
        delete: ["xdstp://x/t/c/one?b=1&a=2"],
      });
      const next = await stream.next();
      assertEquals(next.removedResources, [first[1]]);
      assertEquals(next.resources.map(({ name }) => name), [
        "xdstp://x/t/c/three?a=2&b=1",
      ]);
      stream.cancel();
      return;
    }
    const stream = grpc.sotw();
    stream.send({ node, typeUrl, resourceNames: names });
    const response = await stream.next();
    const got = (values: typeof response.resources) =>
      values.map(({ value }) => fromBinary(ClusterSchema, value).name).sort();
    assertEquals(got(response.resources).length, 3);
    stream.send({
      typeUrl,
      resourceNames: names,
      responseNonce: response.nonce,
      versionInfo: response.versionInfo,
    });
    cache.delete("plain");
    const next = await stream.next();
    assertEquals(got(next.resources).length, 2);
    stream.cancel();
  });
}

Deno.test("a watch that nothing concerns keeps no view alive that is much older than the newest", () => {
  const cache = new LinearCache(ClusterSchema, { resources: [cluster("a")] });
  using probe = new Probe(cache, TypeUrl.Cluster, ["a"]);
  let oldest = 0;
  for (let revision = 1; revision <= 5_000; revision++) {
    cache.set(cluster("b", `${revision}`));
    const held = probe.view!.resources.get("b");
    if (held?.version === cache.get("b")!.version) oldest = revision;
    assert(revision - oldest <= 1_100, `${revision - oldest} changes old`);
  }
  // Nothing of it concerned it.
  assertEquals(probe.changes.slice(1).flat(), []);
  assert(probe.changes.length < 10);
});

Deno.test("a change costs what it changes, though all that there is has a TTL", () => {
  const ttl = 30_000;
  const resources = Array.from(
    { length: 100_000 },
    (_, i) => createResource(cluster(`c${i}`), { ttl }),
  );
  const cache = new LinearCache(ClusterSchema, { resources });
  using _probe = new Probe(cache, TypeUrl.Cluster, ["c0"]);
  cache.set(createResource(cluster("c1"), { ttl: ttl + 1 }));
  const start = cpuUsage();
  for (let i = 0; i < 300; i++) {
    cache.set(createResource(cluster("c1"), { ttl: ttl + 2 + i }));
  }
  const { user } = cpuUsage(start);
  assert(user < 500_000, `${user / 1000} ms`);
});

Deno.test("who asks for names only later has them refreshed, too", () => {
  const clock = new FakeClock();
  const cache = new LinearCache(ClusterSchema, {
    resources: [createResource(cluster("a"), { ttl: 30_000 })],
    clock,
  });
  using late = new Probe(cache, TypeUrl.Cluster, []);
  new Probe(cache, TypeUrl.Cluster, ["a"])[Symbol.dispose]();
  late.ask("a");
  clock.advance(12_000);
  assertEquals(late.heartbeats, 1);
});

Deno.test("the shortest TTL is known after any changes", () => {
  let view = new View(new Map());
  const ttls = new Map<string, number>();
  for (let i = 0; i < 500; i++) {
    const name = `c${i * 7 % 90}`;
    const isRemoved = i % 5 === 4;
    const ttl = isRemoved || i % 7 === 0 ? undefined : 1_000 + i * 37 % 11;
    if (ttl === undefined) ttls.delete(name);
    else ttls.set(name, ttl);
    view = isRemoved
      ? view.with([], [name])
      : view.with([createResource(cluster(name), { ttl })], []);
    if (i % 3 > 0) continue;
    assertEquals(view.shortestTtl, Math.min(...ttls.values()));
    assertEquals(
      view.expiring.map(({ name }) => name).toSorted(),
      [...ttls.keys()].toSorted(),
    );
  }
});
