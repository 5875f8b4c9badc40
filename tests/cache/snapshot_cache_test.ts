import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { assertEquals } from "@std/assert";
import {
  Cluster_DiscoveryType,
  ClusterSchema,
} from "@xds/envoy/envoy/config/cluster/v3";
import { ClusterLoadAssignmentSchema } from "@xds/envoy/envoy/config/endpoint/v3";
import { type Node, NodeSchema } from "@xds/envoy/envoy/config/core/v3";
import {
  createResource,
  createSnapshot,
  type Peer,
  serve,
  type Snapshot,
  SnapshotCache,
  type SnapshotCacheOptions,
  TypeUrl,
} from "../../mod.ts";
import { pem } from "../support/certs.ts";
import { FakeClock } from "../support/clock.ts";
import { GrpcClient } from "../support/grpc_client.ts";
import { until } from "../support/until.ts";
import { client, Probe } from "./_probe.ts";

function snapshot(...names: string[]): Snapshot {
  return createSnapshot({
    resources: names.map((name) => create(ClusterSchema, { name })),
  });
}

/** Fails the test rather than waiting for good. */
function soon() {
  return { signal: AbortSignal.timeout(10_000) };
}

const by: {
  what: string;
  nodeKey: SnapshotCacheOptions["nodeKey"];
  node: MessageInitShape<typeof NodeSchema>;
}[] = [
  { what: "id", nodeKey: undefined, node: { id: "key" } },
  {
    what: "cluster",
    nodeKey: (node) => node.cluster,
    node: { id: "x", cluster: "key" },
  },
  {
    what: "locality",
    nodeKey: ({ locality }) => `${locality?.region}/${locality?.zone}`,
    node: { locality: { region: "eu", zone: "1" } },
  },
  {
    what: "metadata",
    nodeKey: ({ metadata }) => String(metadata?.tier),
    node: { metadata: { tier: "key" } },
  },
  {
    what: "dynamic context parameters",
    nodeKey: ({ dynamicParameters }) =>
      dynamicParameters[TypeUrl.Cluster]?.params.tier ?? "",
    node: {
      dynamicParameters: { [TypeUrl.Cluster]: { params: { tier: "key" } } },
    },
  },
];
for (const { what, nodeKey, node } of by) {
  Deno.test(`a node belongs to a group by its ${what}`, () => {
    const cache = new SnapshotCache({ nodeKey });
    cache.set(what === "locality" ? "eu/1" : "key", snapshot("its"));
    cache.set("other", snapshot("another's"));
    const who = { id: 1, node: create(NodeSchema, node) };
    using probe = new Probe(cache, TypeUrl.Cluster, ["*"], who);
    assertEquals(probe.names, ["its"]);
  });
}

Deno.test("a key may be of any kind, compared as a map's", () => {
  const tiers = new Map([["a", { tier: 1 }], ["b", { tier: 1 }]]);
  const cache = new SnapshotCache({ nodeKey: ({ id }) => tiers.get(id) });
  cache.set(tiers.get("a"), snapshot("for a"));
  cache.set(undefined, snapshot("for strangers"));
  const names = (id: string) => {
    using probe = new Probe(cache, TypeUrl.Cluster, ["*"], client(id));
    return probe.names;
  };
  assertEquals(names("a"), ["for a"]);
  assertEquals(names("b"), []);
  assertEquals(names("c"), ["for strangers"]);
});

Deno.test("a node belongs to a group by the certificate that it proved to have", async () => {
  const peers: (Peer | undefined)[] = [];
  const cache = new SnapshotCache({
    nodeKey: (_: Node, peer) => {
      peers.push(peer);
      return peer?.certificate?.subjectAltNames[0] ?? "nobody";
    },
  });
  const tls = {
    cert: pem("server.pem"),
    key: pem("server.key"),
    clientCa: pem("ca.pem"),
  };
  await using server = await serve({
    cache,
    hostname: "127.0.0.1",
    port: 0,
    tls,
  });
  using grpc = new GrpcClient(server.addr.port, {
    ca: pem("ca.pem"),
    cert: pem("client.pem"),
    key: pem("client.key"),
  });
  const stream = grpc.sotw();
  // What it says of itself does not count.
  stream.send({ node: { id: "admin" }, typeUrl: TypeUrl.Cluster });
  const name = await until(
    "the client",
    () => peers[0]?.certificate?.subjectAltNames[0],
  );
  cache.set("admin", snapshot("not its"));
  cache.set(name, snapshot("its"));
  const { resources } = await stream.next();
  assertEquals(resources.length, 1);
  assertEquals(cache.status("admin"), []);
  assertEquals(cache.status(name)[0].client.node.id, "admin");
  stream.cancel();
});

for (const protocol of ["sotw", "delta"] as const) {
  Deno.test(`${protocol}: a node that changes in mid-stream is served its new group's resources`, async () => {
    const cache = new SnapshotCache({
      nodeKey: ({ dynamicParameters }) =>
        dynamicParameters[TypeUrl.Cluster]?.params.tier ?? "",
    });
    cache.set("one", snapshot("a", "b"));
    cache.set("two", snapshot("b", "c"));
    await using server = await serve({ cache, hostname: "127.0.0.1", port: 0 });
    using grpc = new GrpcClient(server.addr.port);
    const typeUrl = TypeUrl.Cluster;
    const node = (tier: string) => ({
      id: "n",
      dynamicParameters: { [typeUrl]: { params: { tier } } },
    });
    const stream = protocol === "sotw" ? grpc.sotw() : grpc.delta();
    stream.send({ node: node("one"), typeUrl });
    const first = await stream.next();
    assertEquals(first.resources.length, 2);
    stream.send({
      node: node("two"),
      typeUrl,
      responseNonce: first.nonce,
    });
    const next = await stream.next();
    if ("removedResources" in next) {
      assertEquals(next.resources.map((each) => "name" in each && each.name), [
        "c",
      ]);
      assertEquals(next.removedResources, ["a"]);
    } else {
      assertEquals(next.resources.length, 2);
    }
    stream.send({ typeUrl, responseNonce: next.nonce });
    assertEquals(cache.status("one"), []);
    const { accepted, clients } = await cache.settled("two", soon());
    assertEquals([accepted, clients.length], [true, 1]);
    // What the old group is sent it is not.
    cache.set("one", snapshot("d"));
    cache.set("two", snapshot("b"));
    const last = await stream.next();
    if ("removedResources" in last) {
      assertEquals([last.resources.length, last.removedResources], [0, ["c"]]);
    } else assertEquals(last.resources.length, 1);
    stream.cancel();
  });
}

Deno.test("snapshots are set, got, listed and deleted by key", () => {
  const cache = new SnapshotCache();
  const one = snapshot("a");
  cache.set("one", one);
  cache.set("two", snapshot("b"));
  using _waiting = new Probe(cache, TypeUrl.Cluster, ["*"], client("three"));
  assertEquals(cache.get("one") === one, true);
  assertEquals(cache.get("three"), undefined);
  assertEquals([...cache.keys()], ["one", "two"]);
  assertEquals(cache.delete("one"), true);
  assertEquals(cache.delete("one"), false);
  assertEquals(cache.delete("three"), false);
  assertEquals([...cache.keys()], ["two"]);
});

Deno.test("a reference is to a name with its context parameters in any order", () => {
  const cluster = create(ClusterSchema, {
    name: "a",
    clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.EDS },
    edsClusterConfig: { serviceName: "xdstp://x/t/e?b=1&a=2" },
  });
  const endpoints = create(ClusterLoadAssignmentSchema, {
    clusterName: "xdstp://x/t/e?a=2&b=1",
  });
  const snapshot = createSnapshot({ resources: [cluster, endpoints] });
  assertEquals(snapshot.check(), []);
  const name = "xdstp://x/t/e?b=1&a=2";
  const { typeUrl } = createResource(endpoints);
  const without = snapshot.with({ delete: [{ typeUrl, name }] });
  assertEquals(without.resources(typeUrl).size, 0);
});

Deno.test("status says where each client stands with each type", async () => {
  const cache = new SnapshotCache();
  assertEquals(cache.status("node"), []);
  await using server = await serve({ cache, hostname: "127.0.0.1", port: 0 });
  using grpc = new GrpcClient(server.addr.port);
  const { node } = client();
  const typeUrl = TypeUrl.Cluster;
  const state = () => cache.status("node")[0]?.types[0];
  const reaches = (wanted: string) =>
    until(wanted, () => state()?.state === wanted);

  const stream = grpc.sotw();
  stream.send({ node, typeUrl, resourceNames: ["a", "b"] });
  await reaches("absent");
  assertEquals(state().version, undefined);

  const first = snapshot("a");
  cache.set("node", first);
  await reaches("sent");
  assertEquals(state().typeUrl, typeUrl);
  assertEquals([...state().subscription.names], ["a", "b"]);
  assertEquals(state().subscription.wildcard, false);
  assertEquals(state().version, first.version(typeUrl));
  const { nonce } = await stream.next();
  const ack = { typeUrl, resourceNames: ["a", "b"], responseNonce: nonce };
  stream.send(ack);
  await reaches("accepted");
  assertEquals(state().refusal, undefined);

  cache.set("node", snapshot("a", "b"));
  const { nonce: second, versionInfo } = await stream.next();
  const errorDetail = { code: 3, message: "b is bad" };
  stream.send({ ...ack, responseNonce: second, errorDetail });
  await reaches("refused");
  assertEquals(state().refusal, {
    version: versionInfo,
    names: ["b"],
    message: "b is bad",
  });

  cache.delete("node");
  assertEquals(state().state, "absent");
  stream.cancel();
  await until("the client to be gone", () => cache.status("node").length === 0);
});

Deno.test("settled resolves once all clients have answered, and says what they said", async () => {
  const cache = new SnapshotCache();
  assertEquals(await cache.settled("node", soon()), {
    accepted: true,
    clients: [],
    rollback: undefined,
  });
  await using server = await serve({ cache, hostname: "127.0.0.1", port: 0 });
  using grpc = new GrpcClient(server.addr.port);
  const { node } = client();
  const typeUrl = TypeUrl.Cluster;
  const good = grpc.sotw();
  const bad = grpc.delta();
  const gone = grpc.sotw();
  for (const stream of [good, bad, gone]) stream.send({ node, typeUrl });
  await until("three clients", () => cache.status("node").length === 3);

  cache.set("node", snapshot("a"));
  let isSettled = false;
  const settled = cache.settled("node", soon());
  settled.then(() => isSettled = true);
  good.send({ typeUrl, responseNonce: (await good.next()).nonce });
  bad.send({
    typeUrl,
    responseNonce: (await bad.next()).nonce,
    errorDetail: { message: "no" },
  });
  await gone.next();
  await until(
    "two to have answered",
    () =>
      cache.status("node").filter(({ types }) => types[0].state !== "sent")
        .length === 2,
  );
  assertEquals(isSettled, false);
  gone.cancel();
  const { accepted, clients } = await settled;
  assertEquals(accepted, false);
  assertEquals(clients.map(({ types }) => types[0].state), [
    "accepted",
    "refused",
  ]);
  assertEquals(clients[1].types[0].refusal?.message, "no");
  good.cancel();
  bad.cancel();
});

Deno.test("the wait to be settled ends with its signal's reason", async () => {
  const cache = new SnapshotCache();
  cache.set("node", snapshot("a"));
  using _probe = new Probe(cache, TypeUrl.Cluster, ["*"]);
  const end = new AbortController();
  const settled = cache.settled("node", { signal: end.signal });
  const late = new Error("too late");
  end.abort(late);
  assertEquals(await settled.catch((reason) => reason) === late, true);
  const again = cache.settled("node", { signal: end.signal });
  assertEquals(await again.catch((reason) => reason) === late, true);
});

Deno.test("without a snapshot a client keeps what it has, and is told of the next", () => {
  const cache = new SnapshotCache();
  using probe = new Probe(cache, TypeUrl.Cluster, ["*"]);
  assertEquals(probe.changes.length, 0);
  cache.set("node", snapshot("a"));
  assertEquals(probe.names, ["a"]);
  cache.delete("node");
  assertEquals(probe.view, undefined);
  cache.set("node", snapshot("b"));
  assertEquals(probe.names, ["b"]);
});

Deno.test("heartbeats are timed within a tenth of a third of the shortest TTL that is watched, and end with it", () => {
  const delays: number[] = [];
  const clock = new FakeClock();
  const cache = new SnapshotCache({
    clock: {
      now: () => clock.now(),
      after(delay, callback) {
        delays.push(delay);
        return clock.after(delay, callback);
      },
    },
  });
  const lasting = (name: string, ttl: number) =>
    createResource(create(ClusterSchema, { name }), { ttl });
  cache.set(
    "node",
    createSnapshot({ resources: [lasting("a", 30_000), lasting("b", 3_000)] }),
  );
  assertEquals(delays, []);
  const probe = new Probe(cache, TypeUrl.Cluster, ["*"]);
  clock.advance(100_000);
  assertEquals(probe.heartbeats >= 90 && probe.heartbeats <= 112, true);
  assertEquals(Math.min(...delays) >= 900, true);
  assertEquals(Math.max(...delays) <= 1_100, true);
  assertEquals(Math.max(...delays) - Math.min(...delays) > 100, true);

  cache.delete("node");
  const { heartbeats } = probe;
  clock.advance(100_000);
  assertEquals(probe.heartbeats, heartbeats);
  cache.set("node", createSnapshot({ resources: [lasting("a", 30_000)] }));
  assertEquals(clock.pending, 1);
  probe[Symbol.dispose]();
  assertEquals(clock.pending, 0);
});
