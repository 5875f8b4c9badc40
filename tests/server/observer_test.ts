import { create } from "@bufbuild/protobuf";
import {
  assert,
  assertEquals,
  assertGreater,
  assertStringIncludes,
} from "@std/assert";
import {
  type Cluster,
  ClusterSchema,
} from "@xds/envoy/envoy/config/cluster/v3";
import {
  createResource,
  createSnapshot,
  type Observer,
  RequestError,
  serve,
  type ServerEvent,
  SnapshotCache,
  TypeUrl,
} from "../../mod.ts";
import { FakeClock } from "../support/clock.ts";
import { GrpcClient } from "../support/grpc_client.ts";
import { cluster, endpoints, routes } from "../support/resources.ts";
import { until } from "../support/until.ts";

const node = { id: "node" };
const typeUrl = TypeUrl.Cluster;
const INVALID_ARGUMENT = 3;
const RESOURCE_EXHAUSTED = 8;

function clusters(...names: string[]) {
  return createSnapshot({
    version: names.join(),
    resources: names.map((name) => create(ClusterSchema, { name })),
  });
}

/** A server with a cluster for `node`, a client of it, and all that happens. */
async function scene(
  cache = new SnapshotCache(),
  observers: readonly Observer[] = [],
) {
  const events: ServerEvent[] = [];
  const record: Observer = (event) => events.push(event);
  if (!cache.get("node")) cache.set("node", clusters("a"));
  const server = await serve({
    cache,
    hostname: "127.0.0.1",
    port: 0,
    observer: [...observers, record],
  });
  const client = new GrpcClient(server.addr.port);
  return {
    cache,
    client,
    events,
    kinds: () => events.map(({ kind }) => kind),
    /** The next event of a kind, once there are so many. */
    event: <K extends ServerEvent["kind"]>(kind: K, count = 1) =>
      until(
        `${kind} ${count}`,
        () =>
          events.filter((event): event is Extract<ServerEvent, { kind: K }> =>
            event.kind === kind
          )[count - 1],
      ),
    async [Symbol.asyncDispose]() {
      client[Symbol.dispose]();
      await server.shutdown();
    },
  };
}

Deno.test("a stream that never sends a request is seen to open and close", async () => {
  await using at = await scene();
  const stream = at.client.sotw();
  const opened = await at.event("open");
  assertEquals(opened.stream.client, undefined);
  assertEquals(opened.stream.peer.hostname, "127.0.0.1");
  assertEquals(opened.stream.protocol, "sotw");
  stream.end();
  const closed = await at.event("close");
  assertEquals(closed.stream, opened.stream);
  const { client, code, message, error } = closed;
  assertEquals({ client, code, message, error }, {
    client: undefined,
    code: 0,
    message: "",
    error: undefined,
  });
  assertEquals(at.kinds(), ["open", "close"]);
});

Deno.test("a stream's life is told in order, with what each event is about", async () => {
  await using at = await scene();
  const stream = at.client.sotw();
  stream.send({ node, typeUrl });
  const first = await stream.next();
  stream.send({
    typeUrl,
    versionInfo: first.versionInfo,
    responseNonce: first.nonce,
  });
  await at.event("ack");
  at.cache.set("node", clusters("b", "c"));
  const second = await stream.next();
  stream.send({
    typeUrl,
    responseNonce: second.nonce,
    errorDetail: { code: 3, message: "b is bad" },
  });
  await at.event("nack");
  const third = await stream.next();
  stream.send({ typeUrl, responseNonce: first.nonce });
  await at.event("stale");
  stream.end();
  const closed = await at.event("close");
  assertEquals(at.kinds(), [
    "open",
    "request",
    "node",
    "subscribe",
    "send",
    "request",
    "ack",
    "send",
    "request",
    "nack",
    "send",
    "request",
    "stale",
    "close",
  ]);
  const requests = at.events.filter((event) => event.kind === "request");
  const said = requests.map(({ node, nonce, answers, error }) => [
    node?.id,
    nonce,
    answers,
    error?.message,
  ]);
  assertEquals(said, [
    ["node", "", false, undefined],
    [undefined, first.nonce, true, undefined],
    [undefined, second.nonce, true, "b is bad"],
    [undefined, first.nonce, true, undefined],
  ]);
  for (const request of requests) {
    assertEquals([request.typeUrl, request.names], [typeUrl, 0]);
    assertGreater(request.bytes, 0);
  }

  const sent = await at.event("send", 2);
  const { version, nonce, names, removed, heartbeat, bytes } = sent;
  assertEquals({ version, nonce, names, removed, heartbeat }, {
    version: "b,c",
    nonce: second.nonce,
    names: ["b", "c"],
    removed: [],
    heartbeat: false,
  });
  assertGreater(bytes, 5);
  // What was not nacked is sent again by itself.
  const rest = await at.event("send", 3);
  assertEquals([rest.nonce, rest.names], [third.nonce, ["c"]]);
  const ack = await at.event("ack");
  assertEquals([ack.version, ack.nonce, ack.names], ["a", first.nonce, ["a"]]);
  const nack = await at.event("nack");
  assertEquals([nack.version, nack.nonce], ["b,c", second.nonce]);
  assertEquals(nack.refusal, {
    version: "b,c",
    names: ["b"],
    message: "b is bad",
  });
  for (const { latency } of [ack, nack]) assertGreater(latency, 0);
  assertGreater(closed.duration, ack.latency + nack.latency);
  assertEquals(closed.client?.node.id, "node");
});

Deno.test("how a stream ended is told as the client is told", async () => {
  await using at = await scene();
  const stream = at.client.delta();
  stream.send({ node, typeUrl: "clusters" });
  const status = await stream.status;
  const { code, message, error } = await at.event("close");
  assertEquals({ code, details: message }, status);
  assertEquals(code, INVALID_ARGUMENT);
  assertStringIncludes(error!.message, "is no type URL");
});

Deno.test("a cache's refusal is told with the error that it threw", async () => {
  const events: ServerEvent[] = [];
  const cause = new RequestError("resource_exhausted", "come back later");
  await using server = await serve({
    cache: {
      watch() {
        throw cause;
      },
    },
    hostname: "127.0.0.1",
    port: 0,
    observer: (event) => events.push(event),
  });
  using client = new GrpcClient(server.addr.port);
  const stream = client.sotw();
  stream.send({ node, typeUrl });
  await stream.status;
  const closed = events.at(-1)!;
  assert(closed.kind === "close");
  assertEquals([closed.code, closed.message, closed.error?.cause], [
    RESOURCE_EXHAUSTED,
    "come back later",
    cause,
  ]);
});

Deno.test("a node that changes is told with the one before", async () => {
  const cache = new SnapshotCache();
  cache.set("other", clusters("b"));
  await using at = await scene(cache);
  const stream = at.client.sotw();
  stream.send({ node, typeUrl });
  const { nonce } = await stream.next();
  const answer = { typeUrl, versionInfo: "a", responseNonce: nonce };
  stream.send({ ...answer, node });
  await at.event("ack");
  stream.send({ ...answer, node: { id: "other" } });
  assertEquals((await stream.next()).versionInfo, "b");
  const changes = at.events.filter((event) => event.kind === "node");
  assertEquals(
    changes.map(({ previous, client }) => [previous?.node.id, client.node.id]),
    [[undefined, "node"], ["node", "other"]],
  );
  stream.cancel();
});

Deno.test("a heartbeat is told as one", async () => {
  const clock = new FakeClock();
  const cache = new SnapshotCache({ clock, heartbeat: 1_000 });
  const lasting = (cluster: Cluster) => createResource(cluster, { ttl: 9_000 });
  const snapshot = createSnapshot({
    resources: [lasting(create(ClusterSchema, { name: "a" }))],
  });
  cache.set("node", snapshot);
  await using at = await scene(cache);
  const stream = at.client.delta();
  stream.send({ node, typeUrl });
  const { nonce } = await stream.next();
  stream.send({ typeUrl, responseNonce: nonce });
  await at.event("ack");
  clock.advance(1_500);
  await stream.next();
  const [full, heartbeat] = [
    await at.event("send"),
    await at.event("send", 2),
  ];
  assertEquals([full.heartbeat, heartbeat.heartbeat], [false, true]);
  assertEquals(heartbeat.names, ["a"]);
  stream.cancel();
});

Deno.test("what is blocked by make before break is told, with what it waits for", async () => {
  const cache = new SnapshotCache({ ads: true });
  const part = (name: string) => [
    cluster(name, "ads"),
    endpoints(name, 80),
    routes("routes", name),
  ];
  cache.set("node", createSnapshot({ resources: part("a") }));
  await using at = await scene(cache);
  const stream = at.client.delta();
  stream.send({ node, typeUrl });
  const { nonce } = await stream.next();
  const typeOfRoutes = TypeUrl.RouteConfiguration;
  stream.send({
    typeUrl: typeOfRoutes,
    resourceNamesSubscribe: ["routes"],
  });
  const first = await at.event("blocked");
  assertEquals(
    [
      first.reason,
      first.typeUrl,
      first.names,
      first.removal,
      first.waitingFor,
    ],
    [
      "dependency_unacked",
      typeOfRoutes,
      ["routes"],
      false,
      [{ typeUrl, names: ["a"], refusal: undefined }],
    ],
  );
  stream.send({ typeUrl, responseNonce: nonce });
  const got = await stream.next();
  stream.send({ typeUrl: typeOfRoutes, responseNonce: got.nonce });
  await at.event("ack", 2);
  at.cache.set("node", createSnapshot({ resources: part("b") }));
  const added = await stream.next();
  stream.send({ typeUrl, responseNonce: added.nonce });
  const moved = await stream.next();
  stream.send({
    typeUrl: typeOfRoutes,
    responseNonce: moved.nonce,
    errorDetail: { message: "no" },
  });
  const last = await until(
    "a removal that is blocked by a NACK",
    () =>
      at.events.filter((event) => event.kind === "blocked").find((
        { waitingFor },
      ) => waitingFor[0]?.refusal),
  );
  assertEquals([last.reason, last.typeUrl, last.names, last.removal], [
    "dependency_nacked",
    typeUrl,
    ["a"],
    true,
  ]);
  assertEquals(last.waitingFor[0].refusal?.message, "no");
  stream.cancel();
});

Deno.test("observers are told one after the other, whatever another does", async () => {
  const printed: unknown[][] = [];
  const print = console.error;
  console.error = (...args) => printed.push(args);
  const throws: Observer = () => {
    throw new Error("a bug");
  };
  const rejects: Observer = async ({ kind }) => {
    await Promise.resolve();
    if (kind === "close") throw new Error("a late bug");
  };
  try {
    await using at = await scene(new SnapshotCache(), [throws, rejects]);
    for (let i = 0; i < 2; i++) {
      const stream = at.client.sotw();
      stream.send({ node, typeUrl });
      assertEquals((await stream.next()).versionInfo, "a");
      stream.end();
      await stream.status;
    }
    const one = ["open", "request", "node", "subscribe", "send", "close"];
    assertEquals(at.kinds(), [...one, ...one]);
  } finally {
    console.error = print;
  }
  // Once for each observer and kind, within a second.
  const messages = printed.map(([_, error]) => (error as Error).message);
  assertEquals(messages.filter((message) => message === "a bug").length, 6);
  assertEquals(
    messages.filter((message) => message === "a late bug").length,
    1,
  );
  assertEquals(
    printed[0][0],
    'xds: the observer threw when it was told of "open":',
  );
});

Deno.test("an observer may change what is served", async () => {
  const cache = new SnapshotCache();
  const setOnArrival: Observer = (event) => {
    if (event.kind === "node") cache.set("new", clusters("made"));
    if (event.kind === "nack") cache.set("new", clusters("mended"));
  };
  await using at = await scene(cache, [setOnArrival]);
  const stream = at.client.sotw();
  stream.send({ node: { id: "new" }, typeUrl });
  const first = await stream.next();
  assertEquals(first.versionInfo, "made");
  stream.send({
    typeUrl,
    responseNonce: first.nonce,
    errorDetail: { message: "no" },
  });
  assertEquals((await stream.next()).versionInfo, "mended");
  stream.cancel();
});
