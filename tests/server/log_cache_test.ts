import { create } from "@bufbuild/protobuf";
import { assertEquals } from "@std/assert";
import { ClusterSchema } from "@xds/envoy/envoy/config/cluster/v3";
import { TestClient } from "../../lib/testing/mod.ts";
import {
  createSnapshot,
  logObserver,
  type LogRecord,
  SnapshotCache,
  TypeUrl,
} from "../../mod.ts";
import { FakeClock } from "../support/clock.ts";
import { cluster } from "../support/resources.ts";

Deno.test("what becomes of changes is logged, a record each", () => {
  const log: LogRecord[] = [];
  const clock = new FakeClock();
  const cache = new SnapshotCache({
    rollout: { canary: 0.5 },
    validate: "quarantine",
    clock,
    nodeKey: (node) => node.cluster,
    observer: logObserver((record) => log.push(record)),
  });
  const snapshot = (altStatName: string) =>
    createSnapshot({
      version: altStatName,
      resources: [cluster("a", "ads", { altStatName })],
    });
  cache.set("edge", snapshot("1"));
  const clients = ["one", "two"].map((id) => {
    const node = { id, cluster: "edge" };
    const client = new TestClient(cache, { node, answer: "ack" });
    client.subscribe(TypeUrl.Cluster);
    client.read();
    return client;
  });
  cache.set("edge", snapshot("2"));
  clock.advance(20);
  clients.forEach((client) => client.read());
  assertEquals(
    log.splice(0).map(({ level, message }) => `${level}: ${message}`),
    [
      'info: a rollout of "edge" goes to 1 nodes first',
      'debug: 50 % of the clients of "edge" have answered a change',
      'info: a rollout of "edge" goes to all: 1 nodes have taken it',
      'debug: 99 % of the clients of "edge" have answered a change',
      'debug: 100 % of the clients of "edge" have answered a change',
    ],
  );
  clients.forEach((client) => client.close());

  const node = { id: "three", cluster: "edge" };
  const three = new TestClient(cache, { node });
  three.subscribe(TypeUrl.Cluster);
  for (let read; (read = three.read()).length > 0;) {
    read.forEach((response) => response.ack());
  }
  cache.set("edge", snapshot("3"));
  cache.set("edge", snapshot("4"));
  three.read()[0].nack("Bearer abcdefgh-12345 is no cluster");
  three.read();
  const [, overtake, , rollback] = log.splice(0);
  assertEquals(overtake, {
    level: "debug",
    message:
      'a change of "edge" was overtaken when 0 of 1 clients had answered it',
    event: "overtake",
    key: "edge",
    clients: 1,
    answered: 0,
    duration: 0,
  });
  assertEquals(rollback, {
    level: "warn",
    message:
      'a snapshot of "edge" was taken back, since "three" refused it: "Bearer [redacted] is no cluster"',
    event: "rollback",
    key: "edge",
    node: "three",
    type: TypeUrl.Cluster,
    version: "4",
    names: ["a"],
    nameCount: 1,
    error: "Bearer [redacted] is no cluster",
  });
  const bad = create(ClusterSchema, { name: "bad", connectTimeout: {} });
  cache.set("edge", createSnapshot({ resources: [bad] }));
  const quarantine = log.find(({ event }) => event === "quarantine")!;
  assertEquals(
    [quarantine.level, quarantine.names, quarantine.message],
    ["warn", ["bad"], 'resources of "edge" are in quarantine'],
  );
  three.close();
});
