import { create, toBinary } from "@bufbuild/protobuf";
import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import { type ClientHttp2Session, connect } from "node:http2";
import { ClusterSchema } from "@xds/envoy/envoy/config/cluster/v3";
import { DiscoveryRequestSchema } from "@xds/envoy/envoy/service/discovery/v3";
import { ErrorCode } from "../../lib/http2/mod.ts";
import { createSnapshot, serve, SnapshotCache, TypeUrl } from "../../mod.ts";
import { kept } from "../faults/_heap.ts";
import { RawClient } from "../http2/_raw_client.ts";
import {
  concat,
  END_HEADERS,
  frame,
  PREFACE,
  requestBlock,
  settingsFrame,
  uint32,
} from "../http2/_wire.ts";
import { until } from "../support/until.ts";
import { clusters, node, scene } from "./_scene.ts";

const ADS =
  "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources";
const discovery = [
  [":path", ADS],
  ["content-type", "application/grpc"],
  ["te", "trailers"],
] as const;

/** A request for all clusters, as a gRPC message. */
function message(): Uint8Array {
  const request = create(DiscoveryRequestSchema, {
    node,
    typeUrl: TypeUrl.Cluster,
  });
  const bytes = toBinary(DiscoveryRequestSchema, request);
  return concat([Uint8Array.from([0, ...uint32(bytes.length)]), bytes]);
}

async function connected(port: number) {
  const session = connect(`http://127.0.0.1:${port}`);
  session.on("error", () => {});
  await new Promise((resolve) => session.once("connect", resolve));
  return Object.assign(session, {
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => session.close(resolve)),
  });
}

/** A request, and what is answered. */
function ask(
  session: ClientHttp2Session,
  headers: Record<string, string>,
  body?: Uint8Array | string,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ":method": "POST", ...headers });
    let status = 0;
    let text = "";
    stream.on("response", (fields) => status = Number(fields[":status"]));
    stream.on("data", (chunk) => text += chunk);
    stream.on("error", reject);
    stream.on("close", () => resolve({ status, text }));
    stream.end(body);
  });
}

Deno.test("fields of every kind arrive as they were sent, the first time and those that repeat", async () => {
  const printable = Array.from(
    { length: 94 },
    (_, i) => String.fromCharCode(33 + i),
  ).join("");
  const seen: (string | null)[] = [];
  await using server = await serve({
    cache: new SnapshotCache(),
    hostname: "127.0.0.1",
    port: 0,
    authenticate: (_peer, headers) => {
      seen.push(headers.get("x-all"), headers.get("x-long"));
    },
  });
  await using session = await connected(server.addr.port);
  const long = printable.repeat(100);
  for (let i = 0; i < 3; i++) {
    const stream = session.request({
      ":method": "POST",
      ":path": ADS,
      "content-type": "application/grpc",
      "x-all": printable,
      "x-long": long,
    });
    await until("the headers", () => seen.length === 2 * (i + 1));
    stream.close();
  }
  for (let i = 0; i < 6; i++) assertEquals(seen[i], i % 2 ? long : printable);
});

Deno.test("a body larger than the windows is taken, and one larger than is allowed is refused while it comes", async () => {
  const cache = new SnapshotCache();
  cache.set("node", clusters("a"));
  await using server = await serve({
    cache,
    hostname: "127.0.0.1",
    port: 0,
    limits: { messageBytes: 3_000_000 },
  });
  await using session = await connected(server.addr.port);
  const path =
    "/envoy.service.cluster.v3.ClusterDiscoveryService/FetchClusters";
  const headers = { ":path": path, "content-type": "application/json" };
  const names = Array.from({ length: 40_000 }, (_, i) => `cluster-${i}`);
  const body = (padding: string) =>
    JSON.stringify({
      node,
      resource_names: ["a", ...names],
      response_nonce: padding,
    });
  const answered = await ask(session, headers, body(""));
  assertEquals(answered.status, 200, answered.text);
  const refused = await ask(session, headers, body("x".repeat(4_000_000)));
  assertEquals(refused.status, 429);
  assertMatch(refused.text, /3000000/);
});

Deno.test("what is not served says so, and to gRPC without a body", async () => {
  await using at = await scene();
  await using session = await connected(at.port);
  const found = await ask(session, { ":path": "/nowhere?a=b" });
  assertEquals([found.status, found.text], [
    404,
    "Nothing is served at /nowhere\n",
  ]);
  const grpc = { ":path": "/no/Method", "content-type": "application/grpc" };
  const unknown = await ask(session, grpc, message());
  assertEquals([unknown.status, unknown.text], [200, ""]);
  const odd = { ":path": ADS, ":authority": "not a host" };
  assertEquals((await ask(session, odd)).status, 400);
});

Deno.test("a client that takes nothing is sent nothing, and what it was not sent is not made", async () => {
  await using at = await scene();
  using client = new RawClient(at.port);
  const sent = () =>
    at.events.filter((event) =>
      event.kind === "send" && event.stream.peer.port === client.port
    ).length;
  client.send(
    PREFACE,
    settingsFrame({ INITIAL_WINDOW_SIZE: 0 }),
    frame("HEADERS", END_HEADERS, 1, requestBlock(discovery)),
    frame("DATA", 0, 1, message()),
  );
  await until(
    "its subscription",
    () =>
      at.events.some((event) =>
        event.kind === "subscribe" && event.stream.peer.port === client.port
      ),
  );
  client.send(frame("PING", 0, 0, new Uint8Array(8)));
  await client.next("PING");
  assertEquals(sent(), 0);
  client.send(frame("WINDOW_UPDATE", 0, 1, uint32(10)));
  const first = await client.next("DATA");
  assertEquals(first.payload.length, 10);
  assertEquals(sent(), 1);
});

Deno.test("a client that has closed its side is cut, though it reads nothing of what is on its way", async () => {
  const cache = new SnapshotCache();
  const altStatName = "x".repeat(20_000_000);
  const resources = [create(ClusterSchema, { name: "a", altStatName })];
  cache.set("node", createSnapshot({ resources }));
  let closed = 0;
  const server = await serve({
    cache,
    hostname: "127.0.0.1",
    port: 0,
    observer: ({ kind }) => {
      if (kind === "close") closed++;
    },
  });
  using client = new RawClient(server.addr.port);
  client.send(
    PREFACE,
    settingsFrame({ INITIAL_WINDOW_SIZE: 2 ** 30 }),
    frame("WINDOW_UPDATE", 0, 0, uint32(2 ** 30)),
    frame("HEADERS", END_HEADERS, 1, requestBlock(discovery)),
    frame("DATA", 0, 1, message()),
  );
  await client.next("DATA");
  client.pause();
  client.end();
  await until("the stream's end", () => closed === 1);
  const begun = performance.now();
  await server.shutdown({ deadline: 10_000 });
  assertLess(performance.now() - begun, 5_000);
});

Deno.test("a body of which each byte comes by itself takes no more memory than one that comes in one piece", async () => {
  await using at = await scene();
  using client = new RawClient(at.port);
  const request = requestBlock([
    [
      ":path",
      "/envoy.service.cluster.v3.ClusterDiscoveryService/FetchClusters",
    ],
    ["content-type", "application/json"],
  ]);
  client.begin(frame("HEADERS", END_HEADERS, 1, request));
  const byte = frame("DATA", 0, 1, [0x20]);
  const before = await kept();
  for (let round = 0; round < 20; round++) {
    client.send(
      ...Array.from({ length: 1_000 }, () => byte),
      frame("PING", 0, 0, [0, 0, 0, 0, 0, 0, 0, round]),
    );
    await client.next("PING", ({ payload }) => payload[7] === round);
  }
  const after = await kept();
  const more = (kind: string) => (after[kind] ?? 0) - (before[kind] ?? 0);
  assertLess(more("Uint8Array") + more("Buffer"), 1_000);
});

Deno.test("a message of which each byte comes by itself takes a time that grows with its length alone", async () => {
  await using at = await scene();
  using client = new RawClient(at.port);
  const path =
    "/envoy.service.cluster.v3.ClusterDiscoveryService/FetchClusters";
  const request = requestBlock([[":path", path], ...discovery.slice(1)]);
  const BYTES = 60_000;
  const byte = frame("DATA", 0, 1, [0x20]);
  const begun = performance.now();
  client.begin(
    frame("HEADERS", END_HEADERS, 1, request),
    frame("DATA", 0, 1, [0, ...uint32(BYTES + 1)]),
    ...Array.from({ length: BYTES }, () => byte),
    frame("PING", 0, 0, new Uint8Array(8)),
  );
  await client.next("PING");
  assertLess(performance.now() - begun, 1_500);
});

Deno.test("a flood ends its own connection, and says why", async () => {
  await using at = await scene();
  using client = new RawClient(at.port);
  client.begin();
  const opened = frame("HEADERS", END_HEADERS, 1, requestBlock(discovery));
  const flood: Uint8Array[] = [];
  for (let id = 1; id < 5_000; id += 2) {
    opened.set(uint32(id), 5);
    flood.push(opened.slice(), frame("RST_STREAM", 0, id, uint32(8)));
  }
  client.send(...flood);
  const bye = await client.next("GOAWAY");
  const view = new DataView(bye.payload.buffer);
  assertEquals(view.getUint32(4), ErrorCode.EnhanceYourCalm);
  await client.closed();
  const of = (kind: string) =>
    at.events.filter((event) =>
      event.kind === kind && "stream" in event &&
      event.stream?.peer.port === client.port
    ).length;
  assert(of("open") > 1_000);
  assertEquals(of("close"), of("open"));
});
