import { create } from "@bufbuild/protobuf";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { assertEquals } from "@std/assert";
import { ClusterSchema } from "@xds/envoy/envoy/config/cluster/v3";
import { telemetry } from "../../lib/telemetry/mod.ts";
import { TestClient } from "../../lib/testing/mod.ts";
import {
  createSnapshot,
  LinearCache,
  serve,
  SnapshotCache,
  TypeUrl,
} from "../../mod.ts";
import { FakeClock } from "../support/clock.ts";
import { GrpcClient } from "../support/grpc_client.ts";
import { hold, holdTimeout } from "../support/hold.ts";
import { Metrics } from "../support/metrics.ts";
import { cluster, endpoints } from "../support/resources.ts";
import { until } from "../support/until.ts";

/** Where the type is called `Cluster`, and the cache, where it matters, by its name. */
async function counts(metrics: Metrics, name: string) {
  const points = await metrics.read(name);
  return points.map(({ attributes, value }) => [
    ...Object.values(attributes),
    value,
  ]);
}

function accept(client: TestClient) {
  for (let read; (read = client.read()).length > 0;) {
    read.forEach((response) => response.ack());
  }
}

Deno.test("what is in caches is counted when the metrics are read", async () => {
  await using metrics = new Metrics();
  const observer = telemetry({ meterProvider: metrics.provider });
  const snapshots = new SnapshotCache({
    ads: true,
    validate: "quarantine",
    observer,
  });
  const clusters = new LinearCache(ClusterSchema, {
    resources: [cluster("a", "ads"), cluster("b", "ads")],
  });
  observer.count({ snapshots, clusters });
  snapshots.set(
    "edge",
    createSnapshot({
      resources: [
        cluster("a", "ads"),
        endpoints("a", 1),
        create(ClusterSchema, { name: "bad", connectTimeout: {} }),
      ],
    }),
  );
  using client = new TestClient(snapshots, { node: "edge" });
  client.subscribe(TypeUrl.Cluster);
  client.subscribe(TypeUrl.ClusterLoadAssignment, ["a"]);
  client.subscribe("type.googleapis.com/made.Up");
  client.subscribe("type.googleapis.com/made.Too");
  accept(client);
  // The client is about to request the endpoints of a new cluster.
  const more = [cluster("b", "ads"), endpoints("b", 1), endpoints("a", 2)];
  snapshots.set("edge", snapshots.get("edge")!.with({ set: more }));
  client.read();
  assertEquals(await counts(metrics, "xds.cache.resources"), [
    ["snapshots", "Cluster", 2],
    ["snapshots", "ClusterLoadAssignment", 2],
    ["snapshots", "other", 0],
    ["clusters", "Cluster", 2],
  ]);
  assertEquals(await counts(metrics, "xds.cache.watches"), [
    ["snapshots", "Cluster", 1],
    ["snapshots", "ClusterLoadAssignment", 1],
    // Both that a client made up: there is no end to what it may.
    ["snapshots", "other", 2],
    ["clusters", "Cluster", 0],
  ]);
  assertEquals((await counts(metrics, "xds.cache.blocked")).slice(0, 2), [
    ["snapshots", "Cluster", 0],
    ["snapshots", "ClusterLoadAssignment", 1],
  ]);
  assertEquals((await counts(metrics, "xds.cache.quarantined"))[0], [
    "snapshots",
    "Cluster",
    1,
  ]);
  // That of a LinearCache without an observer is not known.
  assertEquals(await counts(metrics, "xds.cache.unsettled"), [
    ["snapshots", 2],
  ]);
  let asked = 0;
  const stats = () => {
    asked++;
    return { unsettled: undefined, types: new Map() };
  };
  observer.count({ mine: { stats } });
  await metrics.read("xds.cache.resources");
  assertEquals(asked, 1);
  observer[Symbol.dispose]();
  await metrics.read("xds.cache.resources");
  assertEquals(asked, 1);
});

Deno.test("how long a change takes to a half, nearly all and all of the clients", async () => {
  await using metrics = new Metrics();
  const observer = telemetry({
    meterProvider: metrics.provider,
    keys: true,
  });
  const clock = new FakeClock();
  const cache = new SnapshotCache({
    nodeKey: (node) => node.cluster,
    rollout: { canary: 0.1 },
    observer,
    clock,
  });
  observer.count({ snapshots: cache });
  const snapshot = (version: string) =>
    createSnapshot({
      version,
      resources: [cluster("a", "ads", { altStatName: version })],
    });
  cache.set("edge", snapshot("1"));
  const clients = ["one", "two"].map((id) => {
    const client = new TestClient(cache, { node: { id, cluster: "edge" } });
    client.subscribe(TypeUrl.Cluster);
    accept(client);
    return client;
  });
  cache.set("edge", snapshot("2"));
  for (const client of clients) {
    clock.advance(1_500);
    accept(client);
  }
  const spread = await metrics.read("xds.cache.spread.duration");
  assertEquals(
    spread.map(({ attributes, value }) => [
      attributes["xds.share"],
      attributes["xds.cache"],
      attributes["xds.key"],
      (value as { sum: number }).sum,
    ]),
    [
      [0.5, "snapshots", "edge", 1.5],
      [0.99, "snapshots", "edge", 3],
      [1, "snapshots", "edge", 3],
    ],
  );
  cache.set("edge", snapshot("3"));
  cache.set("edge", snapshot("4"));
  clients[0].read()[0].nack("a is bad");
  accept(clients[0]);
  assertEquals(await counts(metrics, "xds.cache.overtaken"), [
    ["snapshots", "edge", 1],
  ]);
  assertEquals(await counts(metrics, "xds.cache.rollouts"), [
    ["snapshots", "edge", "begun", 3],
    ["snapshots", "edge", "promoted", 1],
  ]);
  assertEquals(await counts(metrics, "xds.cache.rollbacks"), [
    ["snapshots", "edge", 1],
  ]);
  clients.forEach((client) => client.close());
});

Deno.test("what is blocked is counted as long as it is, and traced with its names", async () => {
  await using metrics = new Metrics();
  const spans = new InMemorySpanExporter();
  const tracerProvider = new BasicTracerProvider({
    spanProcessors: [new SimpleSpanProcessor(spans)],
  });
  const observer = telemetry({
    meterProvider: metrics.provider,
    tracerProvider,
    types: ["type.googleapis.com/my.Type"],
  });
  const clock = new FakeClock();
  const cache = new SnapshotCache({ ads: true, holdTimeout });
  await using server = await serve({
    cache,
    hostname: "127.0.0.1",
    port: 0,
    clock,
    stallAfter: 5_000,
    observer,
  });
  using grpc = new GrpcClient(server.addr.port);
  const stream = grpc.delta();
  await hold(cache, stream);
  const typeUrl = TypeUrl.ClusterLoadAssignment;
  const blocked = () => counts(metrics, "xds.server.active_blocked");
  const reason = "names_not_requested";
  const type = ["delta", "ClusterLoadAssignment", reason];
  await until("a blocked update", async () => (await blocked()).length > 0);
  assertEquals(await blocked(), [[...type, 1]]);
  // It is told of after five seconds, and after ten, and then after twenty.
  clock.advance(15_000);
  assertEquals(await counts(metrics, "xds.server.stalls"), [
    [...type, 2],
  ]);
  stream.send({ typeUrl, resourceNamesSubscribe: ["b"] });
  await stream.next();
  assertEquals(await blocked(), [[...type, 0]]);
  assertEquals(await counts(metrics, "xds.server.blocked"), [
    [...type, 1],
  ]);
  const [{ attributes, value }] = await metrics.read(
    "xds.server.blocked.duration",
  );
  assertEquals(attributes["xds.blocked.reason"], reason);
  assertEquals((value as { sum: number }).sum, 15);

  for (const type of ["my.Type", "another.Type"]) {
    const typeUrl = `type.googleapis.com/${type}`;
    stream.send({ typeUrl, resourceNamesSubscribe: ["*"] });
    await stream.next();
  }
  const types = (await metrics.read("xds.server.responses"))
    .map(({ attributes }) => attributes["xds.type"]);
  assertEquals(types, ["Cluster", "ClusterLoadAssignment", "Type", "other"]);
  stream.end();
  await stream.status;
  const all = await until("the stream's span", () => {
    const all = spans.getFinishedSpans();
    return all.some(({ name }) => name === "xds stream") && all;
  });
  const span = all.find(({ name }) =>
    name === "xds blocked ClusterLoadAssignment"
  )!;
  assertEquals(span.attributes["xds.blocked.reason"], reason);
  assertEquals(span.attributes["xds.waiting_for.names"], ["b"]);
  assertEquals(span.events.map(({ name }) => name), ["xds stall", "xds stall"]);
});

Deno.test("what is blocked is counted out when its stream ends", async () => {
  await using metrics = new Metrics();
  const observer = telemetry({ meterProvider: metrics.provider });
  const clock = new FakeClock();
  const cache = new SnapshotCache({ ads: true, holdTimeout });
  await using server = await serve({
    cache,
    hostname: "127.0.0.1",
    port: 0,
    clock,
    observer,
  });
  using grpc = new GrpcClient(server.addr.port);
  const stream = grpc.delta();
  await hold(cache, stream);
  const blocked = async () =>
    (await metrics.read("xds.server.active_blocked"))[0]?.value;
  await until("a blocked update", async () => await blocked() === 1);
  stream.end();
  await stream.status;
  await until("none", async () => await blocked() === 0);
  assertEquals(clock.pending, 0);
});

Deno.test("a cache takes the place of the one that was called as it is", async () => {
  await using metrics = new Metrics();
  using observer = telemetry({ meterProvider: metrics.provider });
  const resources = [cluster("a", "ads")];
  observer.count({ clusters: new LinearCache(ClusterSchema, { resources }) });
  observer.count({ clusters: new LinearCache(ClusterSchema) });
  // A type of which there is nothing is not counted.
  assertEquals(await counts(metrics, "xds.cache.resources"), []);
});
