import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { ErrorCode } from "../../lib/http2/mod.ts";
import {
  type LimitName,
  serve,
  type ServeOptions,
  type ServerEvent,
  SnapshotCache,
  TypeUrl,
} from "../../mod.ts";
import { RawClient } from "../http2/_raw_client.ts";
import {
  END_HEADERS,
  type Frame,
  frame,
  requestBlock,
} from "../http2/_wire.ts";
import { pem } from "../support/certs.ts";
import { GrpcClient } from "../support/grpc_client.ts";
import { until } from "../support/until.ts";
import { clusters, node, scene } from "./_scene.ts";

const ADS =
  "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources";

/** HEADERS that open a stream of discovery. */
function open(id: number): Uint8Array {
  const block = requestBlock([
    [":path", ADS],
    ["content-type", "application/grpc"],
    ["te", "trailers"],
  ]);
  return frame("HEADERS", END_HEADERS, id, block);
}

function code({ name, payload }: Frame): number {
  return new DataView(payload.buffer).getUint32(name === "GOAWAY" ? 4 : 0);
}

function debug({ payload }: Frame): string {
  return new TextDecoder().decode(payload.subarray(8));
}

/** Waits until a limit was told of; there is to be no other. */
async function told(
  events: readonly ServerEvent[],
  limit: LimitName,
  value: number,
) {
  const limits = () => events.filter((event) => event.kind === "limit");
  await until(`the limit ${limit}`, () => limits().length > 0);
  for (const event of limits()) {
    assertEquals([event.limit, event.value], [limit, value]);
    assertEquals(event.peer.hostname, "127.0.0.1");
    assertEquals(event.stream, undefined);
    assert(event.message !== "");
  }
}

Deno.test("a connection with more streams than it may have is refused them, and keeps the others", async () => {
  await using at = await scene({ limits: { streamsPerConnection: 2 } });
  using client = new RawClient(at.port);
  client.begin(open(1), open(3), open(5));
  const refused = await client.next("RST_STREAM");
  assertEquals(refused.streamId, 5);
  assertEquals(code(refused), ErrorCode.RefusedStream);
  await told(at.events, "streamsPerConnection", 2);
  const answered = client.frames.filter(({ name }) => name === "HEADERS");
  assertEquals(answered.map(({ streamId }) => streamId), [1, 3]);
});

Deno.test("how many streams a connection may have cannot be lifted, and the error says so", async () => {
  const limits = { streamsPerConnection: Infinity };
  const listening = serve({ cache: new SnapshotCache(), port: 0, limits });
  await assertRejects(() => listening, RangeError, "cannot be lifted");
});

Deno.test("there is room for another connection when one has gone", async () => {
  await using server = await serve({
    cache: new SnapshotCache(),
    hostname: "127.0.0.1",
    port: 0,
    limits: { connections: 1 },
  });
  const { port } = server.addr;
  const first = new RawClient(port);
  first.begin();
  await first.next("SETTINGS");
  first[Symbol.dispose]();
  await until("another to be served", async () => {
    using another = new RawClient(port);
    another.begin();
    return await Promise.race([
      another.next("SETTINGS").then(() => true),
      another.closed().then(() => false),
    ]);
  });
});

const ways = [
  ["in the clear", {}],
  ["over TLS", { tls: { cert: pem("server.pem"), key: pem("server.key") } }],
] satisfies [string, Partial<ServeOptions>][];

for (const [what, options] of ways) {
  Deno.test(`a connection too many is cut, ${what}`, async () => {
    const events: ServerEvent[] = [];
    await using server = await serve({
      cache: new SnapshotCache(),
      hostname: "127.0.0.1",
      port: 0,
      limits: { connections: 2 },
      observer: (event) => events.push(event),
      ...options,
    });
    const { port } = server.addr;
    using first = new RawClient(port);
    using second = new RawClient(port);
    await until("both to be there", () => first.port && second.port);
    using third = new RawClient(port);
    await third.closed();
    await told(events, "connections", 2);
  });

  Deno.test(`a client that does not begin in time is cut, ${what}`, async () => {
    const events: ServerEvent[] = [];
    const cache = new SnapshotCache();
    await using server = await serve({
      cache,
      hostname: "127.0.0.1",
      port: 0,
      limits: { handshakeTimeout: 30 },
      observer: (event) => events.push(event),
      ...options,
    });
    using client = new RawClient(server.addr.port);
    await client.closed();
    await told(events, "handshakeTimeout", 30);
  });
}

for (
  const [what, options] of [
    ["over TLS", { tls: { cert: pem("server.pem"), key: pem("server.key") } }],
  ] satisfies [string, Partial<ServeOptions>][]
) {
  Deno.test(`without a limit a client has all the time to begin, ${what}`, async () => {
    await using server = await serve({
      cache: new SnapshotCache(),
      hostname: "127.0.0.1",
      port: 0,
      limits: { handshakeTimeout: Infinity },
      ...options,
    });
    using client = new RawClient(server.addr.port);
    await until("the connection", () => client.port > 0);
    await assertRejects(() => client.closed(200));
  });
}

Deno.test("a connection that has no stream is closed, and one that has is not", async () => {
  await using at = await scene({ limits: { idleTimeout: 50 } });
  using client = new RawClient(at.port);
  client.begin();
  await client.closed();
  await told(at.events, "idleTimeout", 50);
});

Deno.test("a connection whose last stream the server ended is closed, though nothing else is due", async () => {
  const limits = {
    idleTimeout: 50,
    openTimeout: 100,
    keepalive: { interval: Infinity },
  };
  await using at = await scene({ limits });
  using client = new RawClient(at.port);
  client.begin(open(1));
  await client.closed(5_000);
  const reached = at.events.filter((event) => event.kind === "limit");
  const names = reached.map(({ limit }) => limit);
  assertEquals(names, ["openTimeout", "idleTimeout"]);
});

Deno.test("a client that answers no ping is cut, and its streams are told of; one that does is not", async () => {
  const limits = { keepalive: { interval: 40, timeout: 40 } };
  await using at = await scene({ limits });
  using client = new RawClient(at.port);
  client.begin(open(1));
  await client.next("PING");
  await client.closed();
  await told(at.events, "keepalive", 40);
  const closed = at.events.filter(({ kind }) => kind === "close");
  assertEquals(closed.length, 1);
});

Deno.test("an old connection is left: its streams end with status OK after a while, and the next is taken meanwhile", async () => {
  const limits = { maxConnectionAge: 60, maxConnectionAgeGrace: 60 };
  const cache = new SnapshotCache();
  cache.set("node", clusters("a"));
  const events: ServerEvent[] = [];
  await using server = await serve({
    cache,
    hostname: "127.0.0.1",
    port: 0,
    limits,
    observer: (event) => events.push(event),
  });
  using client = new GrpcClient(server.addr.port);
  const stream = client.sotw();
  stream.send({ node, typeUrl: TypeUrl.Cluster });
  await stream.next();
  const { code, details } = await stream.status;
  assertEquals(code, 0, details);
  await told(events, "maxConnectionAge", 60);
  const next = client.sotw();
  next.send({ node, typeUrl: TypeUrl.Cluster });
  assertEquals((await next.next()).resources.length, 1);
  const ports = events.filter(({ kind }) => kind === "open")
    .map(({ stream }) => stream!.peer.port);
  assertEquals(new Set(ports).size, 2);
  next.cancel();
});

Deno.test("connections that begin together do not grow old together", async () => {
  const age = 1_000;
  const count = 32;
  const ages: number[] = [];
  let begun = 0;
  await using server = await serve({
    cache: new SnapshotCache(),
    hostname: "127.0.0.1",
    port: 0,
    limits: { maxConnectionAge: age },
    observer: ({ kind }) => {
      if (kind === "limit") ages.push(performance.now() - begun);
    },
  });
  begun = performance.now();
  using stack = new DisposableStack();
  for (let i = 0; i < count; i++) {
    stack.use(new RawClient(server.addr.port)).begin(open(1));
  }
  await until("all to be old", () => ages.length === count);
  // Half of them are younger than that by chance; what takes time can but make them older.
  assert(Math.min(...ages) < age, `${Math.min(...ages)} ms`);
  assert(Math.min(...ages) >= age * 0.9, `${Math.min(...ages)} ms`);
});

Deno.test("a request that does not come to its end keeps no old connection open", async () => {
  const limits = { maxConnectionAge: 60, maxConnectionAgeGrace: 60 };
  await using server = await serve({
    cache: new SnapshotCache(),
    hostname: "127.0.0.1",
    port: 0,
    limits,
  });
  using client = new RawClient(server.addr.port);
  const request = requestBlock([
    [
      ":path",
      "/envoy.service.cluster.v3.ClusterDiscoveryService/FetchClusters",
    ],
    ["content-type", "application/json"],
  ]);
  client.begin(frame("HEADERS", END_HEADERS, 1, request));
  const cut = await client.next("RST_STREAM");
  assertEquals(code(cut), ErrorCode.Cancel);
  await client.closed();
});

Deno.test("what a client does wrong on a connection is said in GOAWAY", async () => {
  await using at = await scene();
  using client = new RawClient(at.port);
  client.begin(frame("PING", 0, 0, [1]));
  const bye = await client.next("GOAWAY");
  assertEquals(code(bye), ErrorCode.FrameSizeError);
  assertMatch(debug(bye), /PING/);
  await client.closed();
});
