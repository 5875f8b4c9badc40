import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { create } from "@bufbuild/protobuf";
import { ClusterSchema } from "@xds/envoy/envoy/config/cluster/v3";
import { peerId } from "../../lib/server/_peers.ts";
import { telemetry } from "../../lib/telemetry/mod.ts";
import {
  type Access,
  type LimitName,
  type Limits,
  logObserver,
  type LogRecord,
  type Peer,
  restHandler,
  serve,
  type ServerEvent,
  SnapshotCache,
  TypeUrl,
  xdsRoutes,
} from "../../mod.ts";
import { pem } from "../support/certs.ts";
import { FakeClock } from "../support/clock.ts";
import { GrpcClient } from "../support/grpc_client.ts";
import { Metrics } from "../support/metrics.ts";
import { until } from "../support/until.ts";
import { listen, ways } from "./_listen.ts";
import { clusters, node, scene } from "./_scene.ts";

const OK = 0;
const INVALID_ARGUMENT = 3;
const DEADLINE_EXCEEDED = 4;
const RESOURCE_EXHAUSTED = 8;
const INTERNAL = 13;
const UNAVAILABLE = 14;
const typeUrl = TypeUrl.Cluster;

type Reached = [limit: LimitName, value: number][];

/** As {@linkcode scene}, with a check, for the end, of which limits were told of, logged and counted. */
async function limited(limits: Limits, reached: Reached, access: Access = {}) {
  const metrics = new Metrics();
  const records: LogRecord[] = [];
  const clock = new FakeClock();
  const at = await scene({
    limits,
    clock,
    ...access,
    observer: [
      telemetry({ meterProvider: metrics.provider }),
      logObserver((record) => records.push(record)),
    ],
  });
  return {
    ...at,
    clock,
    /** Waits until so many streams were opened, the honest client's among them. */
    opened: (count: number) =>
      until(
        `${count} streams`,
        () => at.events.filter(({ kind }) => kind === "open").length === count,
      ),
    async [Symbol.asyncDispose]() {
      await at[Symbol.asyncDispose]();
      const told = at.events.filter((event) => event.kind === "limit");
      assertEquals(told.map(({ limit, value }) => [limit, value]), reached);
      for (const { peer, stream, message } of told) {
        assertEquals(peer.hostname, "127.0.0.1");
        assertEquals(stream?.peer, peer);
        assert(message !== "");
      }
      const logged = records.filter(({ event }) => event === "limit");
      assertEquals(
        logged.map(({ limit, value, error }) => [limit, value, error]),
        told.map(({ limit, value, message }) => [limit, value, message]),
      );
      const counted = await metrics.read("xds.server.limits");
      const total = new Map<unknown, number>();
      for (const [name] of reached) total.set(name, (total.get(name) ?? 0) + 1);
      const counts = new Map<unknown, number>();
      for (const { attributes: { "xds.limit": name }, value } of counted) {
        counts.set(name, (counts.get(name) ?? 0) + (value as number));
      }
      assertEquals(counts, total);
      // Nothing is waited for any longer.
      assertEquals(clock.pending, 0);
      await metrics[Symbol.asyncDispose]();
    },
  };
}

function withToken(port: number, token: string): GrpcClient {
  return new GrpcClient(port, undefined, { authorization: token });
}

const byToken: Access = {
  authenticate: (_, headers) => headers.get("authorization") ?? "nobody",
};

Deno.test("a stream that asks for more names than it may says so to all", async () => {
  await using at = await limited({ names: 2 }, [["names", 2]]);
  const stream = at.client.delta();
  stream.send({
    node,
    typeUrl,
    resourceNamesSubscribe: ["a", "b", "c"],
  });
  assertEquals((await stream.status).code, RESOURCE_EXHAUSTED);
});

Deno.test("a stream that asks for more types than it may says so to all", async () => {
  await using at = await limited({ types: 2 }, [["types", 2]]);
  const stream = at.client.delta();
  for (const kind of ["one", "two", "one", "three"]) {
    stream.send({ node, typeUrl: `example.com/${kind}` });
  }
  assertEquals((await stream.status).code, RESOURCE_EXHAUSTED);
});

Deno.test("a stream with a larger request than it may says so to all", async () => {
  await using at = await limited({ messageBytes: 200 }, [[
    "messageBytes",
    200,
  ]]);
  const stream = at.client.sotw();
  stream.send({ node: { id: "x".repeat(300) }, typeUrl });
  assertEquals((await stream.status).code, RESOURCE_EXHAUSTED);
});

Deno.test("a peer may have so many streams, and another once one has ended", async () => {
  const limits = { streamsPerPeer: 2 };
  // The honest client has its one from the same address.
  await using at = await limited(limits, [["streamsPerPeer", 2]]);
  const second = at.client.sotw();
  second.send({ node, typeUrl });
  await second.next();
  const third = at.client.delta();
  third.send({ node, typeUrl });
  assertEquals(await third.status, {
    code: RESOURCE_EXHAUSTED,
    details:
      'peer "127.0.0.1" has as many streams open as a peer may have, 2; close one first',
  });
  assertEquals(third.waiting, 0);
  second.end();
  assertEquals((await second.status).code, OK);
  const fourth = at.client.delta();
  fourth.send({ node, typeUrl });
  assertEquals((await fourth.next()).resources.length, 1);
  fourth.cancel();
});

Deno.test("a peer is who it was authenticated to be", async () => {
  const limits = { streamsPerPeer: 1 };
  const reached: Reached = [["streamsPerPeer", 1]];
  await using at = await limited(limits, reached, byToken);
  using greedy = withToken(at.port, "greedy");
  using modest = withToken(at.port, "modest");
  const streams = [greedy, modest].map((client) => client.sotw());
  for (const stream of streams) {
    stream.send({ node, typeUrl });
    assertEquals((await stream.next()).resources.length, 1);
  }
  const more = greedy.sotw();
  more.send({ node, typeUrl });
  const { code, details } = await more.status;
  assertEquals(code, RESOURCE_EXHAUSTED);
  assert(details.startsWith('peer "greedy" has as many'), details);
  for (const stream of streams) stream.cancel();
});

Deno.test("a peer is what peerId says, and what is no peer is not counted", async () => {
  const peerId = (_: Peer, identity: unknown) => {
    if (identity === "bad") throw new Error("no such peer");
    return identity === "nobody" ? undefined : "all others";
  };
  const limits = { streamsPerPeer: 1, peerId };
  const reached: Reached = [["streamsPerPeer", 1]];
  // The honest client is nobody, and so is the second stream of it.
  await using at = await limited(limits, reached, byToken);
  const uncounted = at.client.sotw();
  uncounted.send({ node, typeUrl });
  await uncounted.next();
  uncounted.cancel();
  using first = withToken(at.port, "a");
  using second = withToken(at.port, "b");
  using bad = withToken(at.port, "bad");
  const stream = first.sotw();
  stream.send({ node, typeUrl });
  await stream.next();
  assertEquals((await second.sotw().status).code, RESOURCE_EXHAUSTED);
  assertEquals(await bad.sotw().status, {
    code: INTERNAL,
    details: "limits.peerId failed",
  });
  stream.cancel();
});

Deno.test("a peer is known by what it cannot choose", () => {
  const hostname = "10.0.0.7";
  const certificate = {
    commonName: "edge",
    subjectAltNames: ["URI:spiffe://test/edge-1", "DNS:edge-1"],
    fingerprint: "AB:CD",
  };
  const plain: Peer = { hostname, port: 1, certificate: undefined };
  const mutual: Peer = { hostname, port: 1, certificate };
  assertEquals(peerId(plain, undefined), hostname);
  assertEquals(
    peerId(mutual, undefined),
    "URI:spiffe://test/edge-1, DNS:edge-1",
  );
  const nameless = { ...certificate, subjectAltNames: [] };
  assertEquals(peerId({ ...mutual, certificate: nameless }, {}), "edge");
  const bare = { ...nameless, commonName: "" };
  assertEquals(peerId({ ...mutual, certificate: bare }, undefined), "AB:CD");
  assertEquals(peerId(mutual, "edge-1"), "edge-1");
  assertEquals(peerId(plain, 7), "7");
  assertEquals(peerId({ ...plain, hostname: "" }, undefined), undefined);
});

Deno.test("a stream may make so many requests, of which answers are none", async () => {
  const limits = { requestsPerSecond: 10, requestBurst: 3 };
  await using at = await limited(limits, [["requestsPerSecond", 10]]);
  const mine = { id: "mine" };
  at.cache.set("mine", clusters("a", "b"));
  const stream = at.client.sotw();
  const ask = (names: string[], responseNonce = "", error = "") =>
    stream.send({
      node: mine,
      typeUrl,
      resourceNames: names,
      responseNonce,
      errorDetail: error === "" ? undefined : { code: 3, message: error },
    });
  ask(["a"]);
  let { nonce } = await stream.next();
  for (const names of [["b"], ["a", "b"]]) {
    ask(names, nonce);
    ({ nonce } = await stream.next());
  }
  for (let i = 0; i < 10; i++) {
    ask(["a", "b"], nonce, i % 2 === 0 ? "" : "bad");
    const changed = create(ClusterSchema, { name: "a", altStatName: `${i}` });
    const set = [changed];
    at.cache.set("mine", at.cache.get("mine")!.with({ set }));
    ({ nonce } = await stream.next());
  }
  // A tenth of a second earns one more.
  at.clock.advance(100);
  ask(["a", "b", "c"], nonce);
  ask(["a", "b", "c", "d"], nonce);
  const { code, details } = await stream.status;
  assertEquals(code, RESOURCE_EXHAUSTED);
  assert(details.startsWith("the stream makes more than 10 requests a second"));
  const subscribed = at.events.flatMap((event) =>
    event.kind === "subscribe" && event.client.node.id === "mine" ? [event] : []
  );
  assertEquals(subscribed.length, 4);
});

Deno.test("a stream that asks for nothing ends", async () => {
  const limits = { openTimeout: 1_000 };
  const reached: Reached = [["openTimeout", 1_000], ["openTimeout", 1_000]];
  await using at = await limited(limits, reached);
  const silent = at.client.sotw();
  await at.opened(2);
  at.clock.advance(600);
  const late = at.client.delta();
  const good = at.client.sotw();
  await at.opened(4);
  // One timer for all.
  assertEquals(at.clock.pending, 1);
  good.send({ node, typeUrl });
  await good.next();
  at.clock.advance(400);
  assertEquals(await silent.status, {
    code: DEADLINE_EXCEEDED,
    details:
      "no request came within 1000 ms of the stream's opening; send the first at once",
  });
  at.clock.advance(599);
  assertEquals(at.events.filter(({ kind }) => kind === "close").length, 1);
  at.clock.advance(1);
  assertEquals((await late.status).code, DEADLINE_EXCEEDED);
  assertEquals(at.clock.pending, 0);
  good.cancel();
});

for (const which of ["authenticate", "authorize"] as const) {
  Deno.test(`a decision of ${which} that is not made in time ends its stream`, async () => {
    const limits = { decisionTimeout: 1_000 };
    const reached: Reached = [["decisionTimeout", 1_000]];
    const signals: AbortSignal[] = [];
    const hang = (signal: AbortSignal) => {
      signals.push(signal);
      return new Promise<never>(() => {});
    };
    const access: Access<string> = which === "authenticate"
      ? {
        authenticate: (_, headers, { signal }) =>
          headers.has("authorization") ? hang(signal) : "honest",
      }
      : {
        authenticate: byToken.authenticate as Access<string>["authenticate"],
        authorize: ({ identity, signal }) =>
          identity === "nobody" || hang(signal),
      };
    await using at = await limited(limits, reached, access as Access);
    using client = withToken(at.port, "hanging");
    const stream = client.sotw();
    stream.send({ node, typeUrl });
    await until("the decision", () => signals.length === 1);
    at.clock.advance(999);
    assertEquals(signals[0].aborted, false);
    at.clock.advance(1);
    assertEquals(signals[0].aborted, true);
    assertEquals(await stream.status, {
      code: UNAVAILABLE,
      details:
        "it was not decided within 1000 ms who the client is, or what it may have; try again",
    });
    assertEquals(at.events.filter(({ kind }) => kind === "refuse"), []);
  });
}

for (const way of ways) {
  Deno.test(`${way}: limits of streams hold, by the client's certificate`, async () => {
    const cache = new SnapshotCache();
    cache.set("node", clusters("a"));
    const clock = new FakeClock();
    let opened = 0;
    await using server = await listen(way, {
      cache,
      clock,
      limits: { streamsPerPeer: 1, openTimeout: 1_000 },
      observer: ({ kind }) => {
        if (kind === "open") opened++;
      },
      clientCertificates: true,
    });
    const withCertificate = (name: string) =>
      new GrpcClient(server.port, {
        ca: pem("ca.pem"),
        cert: pem(`${name}.pem`),
        key: pem(`${name}.key`),
      });
    using greedy = withCertificate("client");
    using other = withCertificate("other-client");
    const first = greedy.sotw();
    first.send({ node, typeUrl });
    await first.next();
    const second = greedy.sotw();
    const { code, details } = await second.status;
    assertEquals(code, RESOURCE_EXHAUSTED);
    assert(details.startsWith('peer "URI:spiffe://test/edge-1'), details);
    const silent = other.sotw();
    await until("the silent stream", () => opened === 3);
    clock.advance(1_000);
    assertEquals((await silent.status).code, DEADLINE_EXCEEDED);
    const served = other.sotw();
    served.send({ node, typeUrl });
    assertEquals((await served.next()).resources.length, 1);
    served.cancel();
    first.cancel();
  });
}

Deno.test("a request over REST that is too large is told of, though it has no stream", async () => {
  const cache = new SnapshotCache();
  cache.set("node", clusters("a"));
  const events: ServerEvent[] = [];
  const records: LogRecord[] = [];
  await using metrics = new Metrics();
  const handle = restHandler({
    cache,
    limits: { messageBytes: 100 },
    observer: [
      (event) => events.push(event),
      telemetry({ meterProvider: metrics.provider }),
      logObserver((record) => records.push(record), { level: "warn" }),
    ],
  });
  const post = (body: unknown) =>
    handle(
      new Request("http://localhost/v3/discovery:clusters", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      }),
      { remoteAddr: { hostname: "10.0.0.7", port: 1 } },
    );
  assertEquals((await post({ node: { id: "x".repeat(100) } })).status, 413);
  assertEquals((await post({ node })).status, 200);
  const [told, ...others] = events.filter((event) => event.kind === "limit");
  assertEquals(others, []);
  assertEquals(told.limit, "messageBytes");
  assertEquals(told.value, 100);
  assertEquals(told.stream, undefined);
  assertEquals(told.peer.hostname, "10.0.0.7");
  assertEquals(records, [{
    level: "warn",
    message: "10.0.0.7:1 reached the limit of messageBytes, 100",
    event: "limit",
    peer: "10.0.0.7:1",
    limit: "messageBytes",
    value: 100,
    error: told.message,
  }]);
  assertEquals(await metrics.read("xds.server.limits"), [
    { attributes: { "xds.limit": "messageBytes" }, value: 1 },
  ]);
});

Deno.test("a request over REST that waits counts, and so does the time of a decision", async () => {
  const clock = new FakeClock();
  const cache = new SnapshotCache();
  cache.set("node", clusters("a"));
  let hangs = 0;
  const handle = restHandler({
    cache,
    clock,
    limits: { streamsPerPeer: 1, decisionTimeout: 1_000 },
    ...byToken,
    authorize: ({ identity }) => {
      if (identity !== "hanging") return true;
      hangs++;
      return new Promise(() => {});
    },
  });
  const post = (token: string, version = "") =>
    handle(
      new Request("http://localhost/v3/discovery:clusters", {
        method: "POST",
        headers: { "content-type": "application/json", authorization: token },
        body: JSON.stringify({ node, version_info: version }),
      }),
    );
  const { version_info: newest } = await (await post("a")).json();
  const waiting = post("a", newest);
  const refused = await post("a", newest);
  assertEquals(refused.status, 429);
  assertEquals((await refused.json()).code, RESOURCE_EXHAUSTED);
  const hanging = post("hanging");
  await until("the decision", () => hangs === 1);
  clock.advance(1_000);
  const undecided = await hanging;
  assertEquals(undecided.status, 503);
  assertEquals((await undecided.json()).code, UNAVAILABLE);
  cache.set("node", clusters("a", "b"));
  assertEquals((await waiting).status, 200);
  assertEquals((await post("a")).status, 200);
});

const invalid: [limits: Record<string, unknown>, message: string][] = [
  [
    { names: 0 },
    "limits.names is 0: it must be a whole number above 0, or Infinity for no limit",
  ],
  [
    { messageBytes: 1.5 },
    "limits.messageBytes is 1.5: it must be a whole number above 0, or Infinity for no limit",
  ],
  [
    { streamsPerPeer: 0 },
    "limits.streamsPerPeer is 0: it must be a whole number above 0, or Infinity for no limit",
  ],
  [
    { requestsPerSecond: 0 },
    "limits.requestsPerSecond is 0: it must be a number above 0, or Infinity for no limit",
  ],
  [
    { openTimeout: -1 },
    "limits.openTimeout is -1: it must be milliseconds above 0 and up to 2147483647, or Infinity for no limit",
  ],
  [
    { decisionTimeout: 2 ** 31 },
    "limits.decisionTimeout is 2147483648: it must be milliseconds above 0 and up to 2147483647, or Infinity for no limit",
  ],
  [
    { admissionsPerSecond: -5 },
    "limits.admissionsPerSecond is -5: it must be a number above 0, or Infinity for no limit",
  ],
  [
    { names: "many" },
    "limits.names is many: it must be a whole number above 0, or Infinity for no limit",
  ],
  [
    { names: NaN },
    "limits.names is NaN: it must be a whole number above 0, or Infinity for no limit",
  ],
];

for (const [wrong, message] of invalid) {
  Deno.test(`no limit: ${JSON.stringify(wrong)}`, async () => {
    const options = { cache: new SnapshotCache(), limits: wrong as Limits };
    await assertRejects(
      () => serve({ ...options, hostname: "127.0.0.1", port: 0 }),
      RangeError,
      message,
    );
    assertThrows(() => xdsRoutes(options), RangeError, message);
    assertThrows(() => restHandler(options), RangeError, message);
  });
}

Deno.test("what names a peer has to be a function", () => {
  const limits = { peerId: "address" } as unknown as Limits;
  assertThrows(
    () => xdsRoutes({ cache: new SnapshotCache(), limits }),
    TypeError,
    "limits.peerId is address: it must be a function",
  );
});

Deno.test("a stream that ends for anything else has reached no limit", async () => {
  await using at = await limited({}, []);
  const stream = at.client.sotw();
  stream.send({ node, typeUrl: "nonsense" });
  assertEquals((await stream.status).code, INVALID_ARGUMENT);
});

Deno.test("a limit that there is not is named", () => {
  const limits = { streamPerPeer: 1 } as Limits;
  assertThrows(
    () => xdsRoutes({ cache: new SnapshotCache(), limits }),
    TypeError,
    "there is no limits.streamPerPeer; there are names, types, messageBytes, nodeBytes,",
  );
});
