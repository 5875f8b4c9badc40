import { create } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import {
  assertEquals,
  assertNotEquals,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { ClusterSchema } from "@xds/envoy/envoy/config/cluster/v3";
import { ClusterLoadAssignmentSchema } from "@xds/envoy/envoy/config/endpoint/v3";
import {
  createResource,
  createSnapshot,
  LinearCache,
  MuxCache,
  OnDemandCache,
  type Protocol,
  type Snapshot,
  SnapshotCache,
  TypeUrl,
} from "../../mod.ts";
import { TestClient, type TestResponse } from "../../lib/testing/mod.ts";
import { resource, typeOf } from "../protocol/_resources.ts";
import { FakeClock } from "../support/clock.ts";

const protocols: readonly Protocol[] = ["sotw", "delta"];

/** A snapshot as the scripts write it: `Cluster a b=2 c->e`. */
function snapshot(text: string, version?: string): Snapshot {
  let typeUrl = "";
  const resources = text.split(" ").flatMap((word) => {
    const type = typeOf(word);
    if (type === undefined) return [resource(typeUrl, word)];
    typeUrl = type;
    return [];
  });
  return createSnapshot({ resources, version });
}

function clusters(...texts: string[]): LinearCache<typeof ClusterSchema> {
  const resources = texts.map((text) => resource(TypeUrl.Cluster, text));
  return new LinearCache(ClusterSchema, { resources });
}

/** What a client holds of clusters, as `name=content`. */
function held(client: TestClient): string[] {
  return [...client.held(ClusterSchema).values()].map((its) => {
    const { name, altStatName: content } = its.message(ClusterSchema);
    return content ? `${name}=${content}` : name;
  });
}

/** A response in a line. */
function told(response: TestResponse): string {
  const { names, removed, missing, refreshed } = response;
  return [
    ...names,
    ...removed.map((name) => `-${name}`),
    ...missing.map((name) => `?${name}`),
    ...refreshed.map((name) => `~${name}`),
  ].join(" ");
}

for (const protocol of protocols) {
  Deno.test(`a client holds what it accepted (${protocol})`, async () => {
    const cache = clusters("a", "b=1");
    using client = new TestClient(cache, { protocol });
    client.subscribe(ClusterSchema);
    const response = await client.next(TypeUrl.Cluster);
    assertEquals(told(response), "a b");
    assertEquals(held(client), []);
    response.ack();
    assertEquals(held(client), ["a", "b=1"]);
    assertEquals(client.version(ClusterSchema), cache.version);

    cache.update({ set: [resource(TypeUrl.Cluster, "b=2")], delete: ["a"] });
    const [next, ...more] = client.read();
    assertEquals(more, []);
    next.ack();
    assertEquals(held(client), ["b=2"]);
  });

  Deno.test(`what is refused is not held, and the rest is (${protocol})`, () => {
    const cache = clusters("a=1", "b=1");
    const answer = (response: TestResponse) =>
      response.resources.some((its) =>
          its.name === "b" && its.message(ClusterSchema).altStatName === "2"
        )
        ? "b: not that"
        : undefined;
    using client = new TestClient(cache, { protocol, answer });
    client.subscribe(ClusterSchema);
    assertEquals(client.read().map(told), ["a b"]);
    const { version } = cache;
    cache.replace(["a=2", "b=2"].map((its) => resource(TypeUrl.Cluster, its)));
    // What was not at fault is sent again without the culprit: Envoy may not have applied it.
    const again = protocol === "delta" ? "a" : "a b";
    assertEquals(client.read().map(told), ["a b", again]);
    assertEquals(held(client), ["a=2", "b=1"]);
    if (protocol === "sotw") {
      assertNotEquals(client.version(ClusterSchema), version);
      assertNotEquals(client.version(ClusterSchema), cache.version);
    }
    assertEquals(client.read(), []);
  });

  Deno.test(`a refusal that names nothing refuses all (${protocol})`, () => {
    const cache = clusters("a", "b");
    using client = new TestClient(cache, { protocol, answer: () => "no" });
    client.subscribe(ClusterSchema);
    // The culprit is looked for, and both are.
    assertEquals(client.read().length, 3);
    assertEquals(held(client), []);
    assertEquals(client.read(), []);
  });

  Deno.test(`names come and go (${protocol})`, () => {
    const cache = clusters("a", "b", "c");
    using client = new TestClient(cache, { protocol, answer: "ack" });
    client.subscribe(ClusterSchema, ["a", "none"]);
    client.read();
    assertEquals(held(client), ["a"]);
    assertEquals([...client.missing(ClusterSchema)], ["none"]);
    client.subscribe(ClusterSchema, ["b"]);
    client.read();
    assertEquals(held(client), ["a", "b"]);
    client.unsubscribe(ClusterSchema, ["a", "none"]);
    client.read();
    assertEquals(held(client), ["b"]);
    assertEquals([...client.missing(ClusterSchema)], []);
    client.unsubscribe(ClusterSchema);
    cache.set(resource(TypeUrl.Cluster, "b=2"));
    assertEquals(client.read(), []);
    assertEquals(held(client), []);
    client.subscribe(ClusterSchema);
    client.read();
    assertEquals(held(client).sort(), ["a", "b=2", "c"]);
  });

  Deno.test(`a wildcard is kept beside names, and taken back (${protocol})`, () => {
    const cache = clusters("a");
    using client = new TestClient(cache, { protocol, answer: "ack" });
    client.subscribe(ClusterSchema);
    client.subscribe(ClusterSchema, ["none"]);
    client.read();
    assertEquals(held(client), ["a"]);
    client.unsubscribe(ClusterSchema);
    cache.set(resource(TypeUrl.Cluster, "a=2"));
    assertEquals(client.read(), []);
    client.reconnect();
    assertEquals(client.read(), []);
    client.subscribe(ClusterSchema, ["a"]);
    client.read();
    assertEquals(held(client), ["a=2"]);
  });

  Deno.test(`who reconnects to another server is sent what it lacks (${protocol})`, async () => {
    using client = new TestClient(clusters("a", "b"), {
      protocol,
      answer: "ack",
    });
    client.subscribe(ClusterSchema);
    await client.next();
    client.reconnect(clusters("a", "b"));
    // At most one that says that there is nothing to send.
    assertEquals(client.read().map(told).join(), "");
    client.reconnect(clusters("a", "b=2"));
    assertEquals(
      client.read().map(told),
      [protocol === "sotw" ? "a b" : "b"],
    );
    assertEquals(held(client), ["a", "b=2"]);
  });

  Deno.test(`a paused client is sent the newest only (${protocol})`, () => {
    const cache = clusters("a");
    using client = new TestClient(cache, { protocol, answer: "ack" });
    client.pause();
    client.subscribe(ClusterSchema);
    cache.set(resource(TypeUrl.Cluster, "a=2"));
    assertEquals(client.read(), []);
    client.resume();
    assertEquals(client.read().length, 1);
    assertEquals(held(client), ["a=2"]);
  });

  Deno.test(`a client that follows asks for what belongs together (${protocol})`, async () => {
    const cache = new SnapshotCache({ ads: true });
    using client = new TestClient(cache, {
      protocol,
      node: "n",
      answer: "ack",
      follow: true,
    });
    cache.set(
      "n",
      snapshot(
        "Cluster a->x ClusterLoadAssignment x y Listener l->r RouteConfiguration r->a",
      ),
    );
    client.subscribe(TypeUrl.Cluster);
    client.subscribe(TypeUrl.Listener);
    await cache.settled("n");
    assertEquals([...client.held(TypeUrl.ClusterLoadAssignment).keys()], ["x"]);
    assertEquals([...client.held(TypeUrl.RouteConfiguration).keys()], ["r"]);

    client.read();
    cache.set(
      "n",
      snapshot(
        "Cluster a=2->x ClusterLoadAssignment x y Listener l RouteConfiguration r->a",
      ),
    );
    const types = client.read().map(({ typeUrl }) => typeUrl);
    // The endpoints come again, for the cluster to be warmed.
    assertEquals(types, [
      TypeUrl.Cluster,
      TypeUrl.ClusterLoadAssignment,
      TypeUrl.Listener,
    ]);
    assertEquals(client.held(TypeUrl.RouteConfiguration).size, 0);
  });

  Deno.test(`a heartbeat keeps what it refreshes (${protocol})`, () => {
    const clock = new FakeClock();
    const cache = new SnapshotCache({ clock, heartbeat: 10_000 });
    cache.set("test", snapshot("ClusterLoadAssignment a~30 b"));
    using client = new TestClient(cache, { protocol, answer: "ack" });
    client.subscribe(ClusterLoadAssignmentSchema, ["a", "b"]);
    client.read();
    assertEquals(
      client.held(ClusterLoadAssignmentSchema).get("a")?.ttl,
      30_000,
    );
    clock.advance(11_000);
    // In state of the world it comes with its body.
    const beat = protocol === "sotw" ? "a" : "~a";
    assertEquals(client.read().map(told), [beat]);
    assertEquals([...client.held(ClusterLoadAssignmentSchema).keys()].sort(), [
      "a",
      "b",
    ]);
  });

  Deno.test(`a service of one type (${protocol})`, () => {
    using client = new TestClient(clusters("a"), {
      protocol,
      service: ClusterSchema,
      answer: "ack",
    });
    client.subscribe(ClusterSchema);
    client.read();
    assertEquals(held(client), ["a"]);
    client.subscribe(ClusterLoadAssignmentSchema);
    assertEquals(
      (client.ended as ConnectError).rawMessage,
      `this service serves ${TypeUrl.Cluster}, not "${TypeUrl.ClusterLoadAssignment}"`,
    );
  });

  Deno.test(`an answer that comes later is awaited (${protocol})`, async () => {
    const cache = new OnDemandCache(async ({ name }) => {
      await Promise.resolve();
      return name === "a" ? create(ClusterSchema, { name }) : undefined;
    });
    using client = new TestClient(cache, { protocol, answer: "ack" });
    client.subscribe(ClusterSchema, ["a", "none"]);
    await client.until(() => client.held(ClusterSchema).has("a"));
    await client.until(() => client.missing(ClusterSchema).has("none"));
  });
}

Deno.test("types that state of the world sends in part are merged", () => {
  const cache = new SnapshotCache();
  using client = new TestClient(cache, { answer: "ack" });
  cache.set("test", snapshot("ClusterLoadAssignment a b"));
  client.subscribe(ClusterLoadAssignmentSchema, ["a", "b"]);
  assertEquals(client.read().map(told), ["a b"]);
  cache.set("test", snapshot("ClusterLoadAssignment a b=2"));
  assertEquals(client.read().map(told), ["b"]);
  assertEquals(client.held(ClusterLoadAssignmentSchema).size, 2);
});

Deno.test("a client that is in time for nothing says what it asks for and holds", async () => {
  using client = new TestClient(clusters("a"), { deadline: 1 });
  client.subscribe(ClusterSchema, ["a", "b"]);
  await client.next();
  await assertRejects(
    () => client.next(ClusterSchema),
    DOMException,
    "a response of Cluster, of a client that asks for Cluster [a b] and holds []",
  );
  const signal = AbortSignal.abort(new Error("enough"));
  await assertRejects(
    () => client.next(undefined, { signal }),
    Error,
    "enough",
  );
});

Deno.test("an error that ends the stream is told to who waits", async () => {
  const cache = new MuxCache(() => undefined, { unserved: "error" });
  using client = new TestClient(cache);
  const next = client.next();
  client.subscribe(ClusterSchema);
  await assertRejects(() => next, Error, "nothing here serves");
  assertEquals(client.ended instanceof ConnectError, true);
  assertThrows(
    () => new TestClient(cache, { service: "example.com/T" }),
    TypeError,
    "no service streams example.com/T by state of the world",
  );
});

Deno.test("bytes that are no request end the stream", () => {
  using client = new TestClient(clusters());
  client.send(new Uint8Array([255]));
  assertEquals(client.ended instanceof ConnectError, true);
});

Deno.test("an answer is given once, on its own stream", async () => {
  using client = new TestClient(clusters("a"));
  client.subscribe(ClusterSchema);
  const response = await client.next();
  client.reconnect();
  assertThrows(() => response.ack(), Error, "was answered already");
  const again = await client.next();
  again.ack();
  assertThrows(() => again.nack("no"), Error, "was answered already");
});

Deno.test("resources of a type of one's own are found by name", () => {
  const typeUrl = "example.com/acme.Limit";
  const bytes = new TextEncoder().encode("{}");
  const limit = createResource({ typeUrl, name: "limit", bytes });
  const cache = new LinearCache(typeUrl, { resources: [limit] });
  using client = new TestClient(cache, { name: () => "limit", answer: "ack" });
  client.subscribe(typeUrl);
  client.read();
  assertEquals(client.held(typeUrl).get("limit")?.bytes, bytes);

  using unable = new TestClient(cache, { answer: "ack" });
  unable.subscribe(typeUrl);
  unable.read();
  assertEquals(unable.ended instanceof Error, true);
});
