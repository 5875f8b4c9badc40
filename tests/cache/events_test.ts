import { create } from "@bufbuild/protobuf";
import { assertEquals } from "@std/assert";
import { ClusterSchema } from "@xds/envoy/envoy/config/cluster/v3";
import { TestClient } from "../../lib/testing/mod.ts";
import {
  type Cache,
  type CacheEvent,
  createSnapshot,
  LinearCache,
  type Snapshot,
  SnapshotCache,
  type SnapshotCacheOptions,
  TypeUrl,
} from "../../mod.ts";
import { FakeClock } from "../support/clock.ts";
import { Probe } from "./_probe.ts";

const KEY = "edge";

function cluster(name: string, altStatName = "") {
  return create(ClusterSchema, { name, altStatName });
}

function snapshot(version: string): Snapshot {
  return createSnapshot({ version, resources: [cluster("a", version)] });
}

/** A line for an event: what it says, without what it is about. */
function told(event: CacheEvent): string {
  switch (event.kind) {
    case "spread": {
      const { share, clients, refused, duration } = event;
      return `spread ${share} of ${clients}, ${refused} refused, ${duration} ms`;
    }
    case "overtake": {
      const { clients, answered, duration } = event;
      return `overtake ${answered} of ${clients}, ${duration} ms`;
    }
    case "rollout":
      return `rollout to ${event.nodes.join(" ")}`;
    case "promote":
      return `promote after ${event.nodes.join(" ")}, ${event.duration} ms`;
    case "rollback":
      return `rollback for ${event.rollback.client.node.id}: ${event.rollback.refusal.message}`;
    case "quarantine":
      return `quarantine ${
        event.quarantined.map(({ resource }) => resource.name)
      }`;
  }
}

function scene(options: SnapshotCacheOptions = {}) {
  const clock = new FakeClock();
  const events: CacheEvent<string>[] = [];
  const cache = new SnapshotCache({
    nodeKey: (node) => node.cluster,
    clock,
    observer: (event) => events.push(event),
    ...options,
  });
  /** What was told since it was asked for last. */
  const heard = () => events.splice(0).map(told);
  return { cache, clock, events, heard };
}

function clientsOf(cache: Cache, count: number): TestClient[] {
  return Array.from({ length: count }, (_, i) => {
    const node = { id: `node-${i}`, cluster: KEY };
    const client = new TestClient(cache, { node });
    client.subscribe(ClusterSchema);
    return client;
  });
}

function accept(...clients: TestClient[]) {
  for (const client of clients) {
    // An answer may bring the next response about.
    for (let read; (read = client.read()).length > 0;) {
      read.forEach((response) => response.ack());
    }
  }
}

function closeAll(clients: readonly TestClient[]) {
  for (const client of clients) client.close();
}

Deno.test("it is told when a half, nearly all and all of the clients have answered a snapshot", () => {
  const { cache, clock, events, heard } = scene();
  cache.set(KEY, snapshot("1"));
  const clients = clientsOf(cache, 4);
  accept(...clients);
  // They came to what was there.
  assertEquals(heard(), []);
  clock.advance(100);
  cache.set(KEY, snapshot("2"));
  clock.advance(5);
  accept(clients[0]);
  assertEquals(heard(), []);
  clock.advance(5);
  const [response] = clients[1].read();
  response.nack("a is bad");
  accept(clients[1]);
  const [half] = events;
  assertEquals([half.cache === cache, half.key], [true, KEY]);
  assertEquals(heard(), ["spread 0.5 of 4, 1 refused, 10 ms"]);
  clock.advance(10);
  accept(clients[2]);
  // One that leaves is waited for no longer, and one that comes is not counted.
  const late = clientsOf(cache, 1);
  clients[3].close();
  assertEquals(heard(), [
    "spread 0.99 of 3, 1 refused, 20 ms",
    "spread 1 of 3, 1 refused, 20 ms",
  ]);
  closeAll([...clients, ...late]);
  assertEquals(heard(), []);
});

Deno.test("a snapshot that is the same for a client does not wait for it", () => {
  const { cache, heard } = scene();
  const first = snapshot("1");
  cache.set(KEY, first);
  const clients = clientsOf(cache, 2);
  accept(...clients);
  cache.set(KEY, first);
  assertEquals(heard(), []);
  closeAll(clients);
});

Deno.test("a snapshot that is overtaken says how far it had come", () => {
  const { cache, clock, heard } = scene();
  cache.set(KEY, snapshot("1"));
  const clients = clientsOf(cache, 2);
  accept(...clients);
  cache.set(KEY, snapshot("2"));
  accept(clients[0]);
  heard();
  clock.advance(7);
  cache.set(KEY, snapshot("3"));
  assertEquals(heard(), ["overtake 1 of 2, 7 ms"]);
  clock.advance(1);
  accept(...clients);
  assertEquals(heard(), [
    "spread 0.5 of 2, 0 refused, 1 ms",
    "spread 0.99 of 2, 0 refused, 1 ms",
    "spread 1 of 2, 0 refused, 1 ms",
  ]);
  closeAll(clients);
});

Deno.test("a rollout tells that it begins, goes on with others, and passes", () => {
  const { cache, clock, heard } = scene({ rollout: { canary: 0.5 } });
  cache.set(KEY, snapshot("1"));
  const clients = clientsOf(cache, 3);
  accept(...clients);
  cache.set(KEY, snapshot("2"));
  assertEquals(heard(), ["rollout to node-0 node-1"]);
  const [first, second, third] = clients;
  first.close();
  second.close();
  assertEquals(heard(), ["rollout to node-2"]);
  const [late] = clientsOf(cache, 1);
  accept(late);
  clock.advance(3);
  accept(third);
  assertEquals(heard(), [
    "spread 0.5 of 1, 0 refused, 3 ms",
    "spread 0.99 of 1, 0 refused, 3 ms",
    "spread 1 of 1, 0 refused, 3 ms",
    "promote after node-2, 3 ms",
  ]);
  closeAll([third, late]);
});

Deno.test("a spread covers both parts of a rollout", () => {
  const { cache, clock, heard } = scene({ rollout: { canary: 0.25 } });
  cache.set(KEY, snapshot("1"));
  const clients = clientsOf(cache, 4);
  accept(...clients);
  cache.set(KEY, snapshot("2"));
  const [canary, ...others] = clients;
  clock.advance(1);
  accept(canary);
  clock.advance(1);
  accept(...others);
  assertEquals(heard(), [
    "rollout to node-0",
    "promote after node-0, 1 ms",
    "spread 0.5 of 4, 0 refused, 2 ms",
    "spread 0.99 of 4, 0 refused, 2 ms",
    "spread 1 of 4, 0 refused, 2 ms",
  ]);
  closeAll(clients);
});

Deno.test("a refusal ends a rollout by a rollback, which everybody is told of", () => {
  const rolledBack: string[] = [];
  const { cache, heard } = scene({
    rollout: { canary: 0.1 },
    onRollback: (key, { refusal }) =>
      rolledBack.push(`${key}: ${refusal.message}`),
  });
  cache.set(KEY, snapshot("1"));
  const clients = clientsOf(cache, 2);
  accept(...clients);
  cache.set(KEY, snapshot("2"));
  clients[0].read()[0].nack("a is bad");
  accept(...clients);
  assertEquals(heard(), [
    "rollout to node-0",
    "rollback for node-0: a is bad",
  ]);
  assertEquals(rolledBack, [`${KEY}: a is bad`]);
  closeAll(clients);
});

Deno.test("an observer, or onRollback, that throws disturbs nobody", () => {
  const errors: unknown[][] = [];
  const { error } = console;
  console.error = (...args) => errors.push(args);
  try {
    const { cache, heard } = scene({
      onRefused: "rollback",
      onRollback: () => {
        throw new Error("mine");
      },
    });
    cache.set(KEY, snapshot("1"));
    const clients = clientsOf(cache, 2);
    accept(...clients);
    cache.set(KEY, snapshot("2"));
    clients[0].read()[0].nack("a is bad");
    accept(...clients);
    assertEquals(heard().at(-1), "rollback for node-0: a is bad");
    assertEquals(clients.map(({ ended }) => ended), [undefined, undefined]);
    assertEquals(errors.length, 1);
    closeAll(clients);
  } finally {
    console.error = error;
  }
});

Deno.test("what is put into quarantine is an event, in both caches", () => {
  const bad = create(ClusterSchema, { name: "bad", connectTimeout: {} });
  const { cache, heard } = scene({ validate: "quarantine" });
  cache.set(KEY, createSnapshot({ resources: [bad] }));
  cache.set(KEY, createSnapshot({ resources: [bad, cluster("a")] }));
  assertEquals(heard(), ["quarantine bad"]);
  const events: CacheEvent<undefined>[] = [];
  const linear = new LinearCache(ClusterSchema, {
    validate: "quarantine",
    observer: [(event) => events.push(event)],
  });
  linear.set(bad);
  assertEquals(events.map(told), ["quarantine bad"]);
  assertEquals(events[0].cache === linear, true);
});

Deno.test("a change of a LinearCache waits for those whom it concerns", () => {
  const clock = new FakeClock();
  const events: CacheEvent[] = [];
  const cache = new LinearCache(ClusterSchema, {
    resources: [cluster("a"), cluster("b")],
    clock,
    observer: (event) => events.push(event),
  });
  const heard = () => events.splice(0).map(told);
  const one = new TestClient(cache, { node: "one", protocol: "delta" });
  one.subscribe(ClusterSchema, ["a"]);
  const other = new TestClient(cache, { node: "other" });
  other.subscribe(ClusterSchema, ["b"]);
  const all = new TestClient(cache, { node: "all" });
  all.subscribe(ClusterSchema);
  accept(one, other, all);
  assertEquals(cache.stats().unsettled, 0);
  cache.set(cluster("a", "2"));
  assertEquals(cache.stats().unsettled, 2);
  clock.advance(4);
  accept(all);
  assertEquals(heard(), ["spread 0.5 of 2, 0 refused, 4 ms"]);
  // Of what overtakes it, the first knows nothing that was not asked for again.
  cache.set(cluster("b", "2"));
  accept(other);
  clock.advance(1);
  accept(one);
  assertEquals(heard(), [
    "spread 0.5 of 2, 0 refused, 0 ms",
    "spread 0.99 of 2, 0 refused, 5 ms",
    "spread 1 of 2, 0 refused, 5 ms",
  ]);
  cache.set(cluster("b", "3"));
  assertEquals(heard(), ["overtake 1 of 2, 1 ms"]);
  all.close();
  other.read()[0].nack("b is bad");
  accept(other);
  assertEquals(heard(), [
    "spread 0.5 of 1, 1 refused, 0 ms",
    "spread 0.99 of 1, 1 refused, 0 ms",
    "spread 1 of 1, 1 refused, 0 ms",
  ]);
  assertEquals(cache.stats().unsettled, 0);
  closeAll([one, other]);
});

Deno.test("an observer may make the next change once the last has come to all", () => {
  const events: CacheEvent[] = [];
  const cache = new LinearCache(ClusterSchema, {
    resources: [cluster("a")],
    clock: new FakeClock(),
    observer: (event) => {
      events.push(event);
      const isFirst = event.kind === "spread" && event.share === 1 &&
        cache.get("b") === undefined;
      if (isFirst) cache.set(cluster("b"));
    },
  });
  const client = new TestClient(cache, { node: "one" });
  client.subscribe(ClusterSchema);
  accept(client);
  cache.set(cluster("a", "2"));
  accept(client);
  assertEquals(events.map(told).filter((line) => line.startsWith("spread 1")), [
    "spread 1 of 1, 0 refused, 0 ms",
    "spread 1 of 1, 0 refused, 0 ms",
  ]);
  assertEquals(cache.stats().unsettled, 0);
  closeAll([client]);
});

Deno.test("an observer may make another change when one is overtaken", () => {
  const cache = new LinearCache(ClusterSchema, {
    resources: [cluster("a")],
    observer: (event) => {
      if (event.kind === "overtake" && cache.get("b") === undefined) {
        cache.set(cluster("b"));
      }
    },
  });
  const probe = new Probe(cache, cache.typeUrl, ["*"]);
  cache.set(cluster("a", "2"));
  cache.set(cluster("a", "3"));
  assertEquals(probe.view?.version, cache.version);
  assertEquals(probe.names, ["a", "b"]);
  probe[Symbol.dispose]();
});

Deno.test("an observer may set another snapshot when one is overtaken", () => {
  let isFourth = false;
  const events: CacheEvent[] = [];
  const { cache } = scene({
    observer: [
      (event) => events.push(event),
      (event) => {
        if (event.kind === "overtake" && !isFourth) {
          isFourth = true;
          cache.set(KEY, snapshot("4"));
        }
      },
    ],
  });
  cache.set(KEY, snapshot("1"));
  const clients = clientsOf(cache, 1);
  accept(...clients);
  cache.set(KEY, snapshot("2"));
  cache.set(KEY, snapshot("3"));
  accept(...clients);
  assertEquals(cache.get(KEY)?.version(TypeUrl.Cluster), "4");
  assertEquals(events.map(told), [
    "overtake 0 of 1, 0 ms",
    "overtake 0 of 1, 0 ms",
    "spread 0.5 of 1, 0 refused, 0 ms",
    "spread 0.99 of 1, 0 refused, 0 ms",
    "spread 1 of 1, 0 refused, 0 ms",
  ]);
  closeAll(clients);
});

Deno.test("a client that comes to a LinearCache is unsettled until it has answered", () => {
  const cache = new LinearCache(ClusterSchema, {
    resources: [cluster("a")],
    observer: () => {},
  });
  const [client] = clientsOf(cache, 1);
  assertEquals(cache.stats().unsettled, 1);
  accept(client);
  assertEquals(cache.stats().unsettled, 0);
  closeAll([client]);
});
