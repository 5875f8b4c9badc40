import { create } from "@bufbuild/protobuf";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import {
  assert,
  assertEquals,
  assertLessOrEqual,
  assertRejects,
} from "@std/assert";
import { createServer } from "node:http2";
import { connect } from "node:net";
import type { AddressInfo } from "node:net";
import { ClusterSchema } from "@xds/envoy/envoy/config/cluster/v3";
import {
  createSnapshot,
  serve,
  type ServerEvent,
  SnapshotCache,
  TypeUrl,
  xdsRoutes,
} from "../../mod.ts";
import { pem } from "../support/certs.ts";
import { GrpcClient } from "../support/grpc_client.ts";

const node = { id: "node" };
const local = { hostname: "127.0.0.1", port: 0 };
const OK = 0;
const UNAVAILABLE = 14;

function cacheWith(...names: string[]): SnapshotCache {
  const cache = new SnapshotCache();
  cache.set("node", clusters(...names));
  return cache;
}

function clusters(...names: string[]) {
  return createSnapshot({
    resources: names.map((name) => create(ClusterSchema, { name })),
  });
}

async function subscribed(client: GrpcClient) {
  const stream = client.sotw();
  stream.send({ node, typeUrl: TypeUrl.Cluster });
  return { stream, first: await stream.next() };
}

Deno.test("a shutdown ends streams with status OK, and refuses new connections", async () => {
  const server = await serve({ cache: cacheWith("a"), ...local });
  using client = new GrpcClient(server.addr.port);
  const { stream } = await subscribed(client);
  await Promise.all([server.shutdown(), server.finished]);
  assertEquals((await stream.status).code, OK);
  using late = new GrpcClient(server.addr.port);
  const refused = late.sotw();
  refused.send({ node, typeUrl: TypeUrl.Cluster });
  assertEquals((await refused.status).code, UNAVAILABLE);
});

Deno.test("a shutdown cuts what is left after its deadline", async () => {
  const server = await serve({ cache: cacheWith("a"), ...local });
  // A connection that has begun HTTP/2 and then does nothing, not even close.
  const socket = connect({
    port: server.addr.port,
    host: "127.0.0.1",
    allowHalfOpen: true,
  });
  const closed = new Promise<void>((resolve) =>
    socket.once("close", () => resolve())
  );
  socket.on("error", () => {});
  const greeted = new Promise<void>((resolve) =>
    socket.once("data", () => resolve())
  );
  socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0");
  await greeted;
  await server.shutdown({ deadline: 50 });
  socket.end();
  await closed;
});

Deno.test("shutting down twice is shutting down once", async () => {
  const server = await serve({ cache: cacheWith("a"), ...local });
  assertEquals(server.shutdown(), server.shutdown());
  await server.finished;
});

Deno.test("a signal shuts the server down, and keeps one from starting", async () => {
  const controller = new AbortController();
  const server = await serve({
    cache: cacheWith("a"),
    ...local,
    signal: controller.signal,
  });
  controller.abort(new Error("enough"));
  await server.finished;
  await assertRejects(
    () => serve({ cache: cacheWith("a"), ...local, signal: controller.signal }),
    Error,
    "enough",
  );
});

Deno.test("a server is disposed of by await using", async () => {
  let finished: Promise<void>;
  {
    await using server = await serve({ cache: cacheWith("a"), ...local });
    finished = server.finished;
  }
  await finished;
});

Deno.test("TLS serves clients that know the authority", async () => {
  await using server = await serve({
    cache: cacheWith("a"),
    ...local,
    tls: { cert: pem("server.pem"), key: pem("server.key") },
  });
  using client = new GrpcClient(server.addr.port, { ca: pem("ca.pem") });
  const { stream, first } = await subscribed(client);
  assertEquals(first.resources.length, 1);
  stream.cancel();
});

Deno.test("mutual TLS serves clients of the authority alone, and tells who they are", async () => {
  const events: ServerEvent[] = [];
  await using server = await serve({
    cache: cacheWith("a"),
    ...local,
    tls: {
      cert: pem("server.pem"),
      key: pem("server.key"),
      clientCa: pem("ca.pem"),
    },
    observer: (event) => events.push(event),
  });
  const { port } = server.addr;
  using known = new GrpcClient(port, {
    ca: pem("ca.pem"),
    cert: pem("client.pem"),
    key: pem("client.key"),
  });
  const { stream, first } = await subscribed(known);
  assertEquals(first.resources.length, 1);
  const opened = events.find((event) => event.kind === "open")!;
  assertEquals(opened.stream.peer.certificate?.commonName, "edge-1");
  assertEquals(opened.stream.peer.certificate?.subjectAltNames, [
    "URI:spiffe://test/edge-1",
    "DNS:edge-1",
  ]);
  assertEquals(opened.stream.peer.hostname, "127.0.0.1");

  using anonymous = new GrpcClient(port, { ca: pem("ca.pem") });
  const foreignPair = {
    cert: pem("foreign-client.pem"),
    key: pem("foreign-client.key"),
  };
  using foreign = new GrpcClient(port, { ca: pem("ca.pem"), ...foreignPair });
  for (const client of [anonymous, foreign]) {
    const turnedAway = client.sotw();
    turnedAway.send({ node, typeUrl: TypeUrl.Cluster });
    assertEquals((await turnedAway.status).code, UNAVAILABLE);
  }
  stream.cancel();
});

const services: [
  path: string,
  sotw: string | undefined,
  delta: string | undefined,
  typeUrl: string,
][] = [
  [
    "envoy.service.cluster.v3.ClusterDiscoveryService",
    "StreamClusters",
    "DeltaClusters",
    TypeUrl.Cluster,
  ],
  [
    "envoy.service.endpoint.v3.EndpointDiscoveryService",
    "StreamEndpoints",
    "DeltaEndpoints",
    TypeUrl.ClusterLoadAssignment,
  ],
  [
    "envoy.service.listener.v3.ListenerDiscoveryService",
    "StreamListeners",
    "DeltaListeners",
    TypeUrl.Listener,
  ],
  [
    "envoy.service.route.v3.RouteDiscoveryService",
    "StreamRoutes",
    "DeltaRoutes",
    TypeUrl.RouteConfiguration,
  ],
  [
    "envoy.service.route.v3.ScopedRoutesDiscoveryService",
    "StreamScopedRoutes",
    "DeltaScopedRoutes",
    TypeUrl.ScopedRouteConfiguration,
  ],
  [
    "envoy.service.route.v3.VirtualHostDiscoveryService",
    undefined,
    "DeltaVirtualHosts",
    TypeUrl.VirtualHost,
  ],
  [
    "envoy.service.secret.v3.SecretDiscoveryService",
    "StreamSecrets",
    "DeltaSecrets",
    TypeUrl.Secret,
  ],
  [
    "envoy.service.runtime.v3.RuntimeDiscoveryService",
    "StreamRuntime",
    "DeltaRuntime",
    TypeUrl.Runtime,
  ],
  [
    "envoy.service.extension.v3.ExtensionConfigDiscoveryService",
    "StreamExtensionConfigs",
    "DeltaExtensionConfigs",
    TypeUrl.TypedExtensionConfig,
  ],
  [
    "ratelimit.service.ratelimit.v3.RateLimitConfigDiscoveryService",
    "StreamRlsConfigs",
    undefined,
    TypeUrl.RateLimitConfig,
  ],
];

Deno.test("every discovery service streams its type", async () => {
  await using server = await serve({ cache: cacheWith("a"), ...local });
  using client = new GrpcClient(server.addr.port);
  for (const [service, sotw, delta, typeUrl] of services) {
    if (sotw) {
      const stream = client.sotw(`/${service}/${sotw}`);
      stream.send({ node, resourceNames: ["*"] });
      assertEquals((await stream.next()).typeUrl, typeUrl);
      stream.cancel();
    }
    if (delta) {
      const stream = client.delta(`/${service}/${delta}`);
      stream.send({ node, resourceNamesSubscribe: ["*"] });
      assertEquals((await stream.next()).typeUrl, typeUrl);
      stream.cancel();
    }
  }
});

Deno.test("the routes serve from somebody else's server", async () => {
  const listener = createServer(
    connectNodeAdapter({ routes: xdsRoutes({ cache: cacheWith("a") }) }),
  );
  await new Promise<void>((resolve) =>
    listener.listen(0, "127.0.0.1", resolve)
  );
  using client = new GrpcClient((listener.address() as AddressInfo).port);
  const { stream, first } = await subscribed(client);
  assertEquals(first.resources.length, 1);
  stream.cancel();
  client[Symbol.dispose]();
  await new Promise<void>((resolve) => listener.close(() => resolve()));
});

Deno.test("a client that ends its side gets a status and no more", async () => {
  await using server = await serve({ cache: cacheWith("a"), ...local });
  using client = new GrpcClient(server.addr.port);
  const { stream } = await subscribed(client);
  stream.end();
  assertEquals((await stream.status).code, OK);
});

Deno.test("many streams are sent one response: the nonce says so", async () => {
  const events: ServerEvent[] = [];
  const cache = cacheWith("a");
  await using server = await serve({
    cache,
    ...local,
    observer: (event) => events.push(event),
  });
  using client = new GrpcClient(server.addr.port);
  const streams = await Promise.all(
    Array.from({ length: 20 }, () => subscribed(client)),
  );
  assertEquals(new Set(streams.map(({ first }) => first.nonce)).size, 1);
  for (const { stream, first } of streams) {
    stream.send({ typeUrl: TypeUrl.Cluster, responseNonce: first.nonce });
  }
  await cache.settled("node");
  cache.set("node", clusters("a", "b"));
  const next = await Promise.all(streams.map(({ stream }) => stream.next()));
  assertEquals(new Set(next.map(({ nonce }) => nonce)).size, 1);
  for (const { stream } of streams) stream.cancel();
});

Deno.test("a client that does not read gets the newest and nothing in between", async () => {
  const cache = new SnapshotCache();
  const large = (version: number) =>
    createSnapshot({
      version: String(version),
      resources: Array.from({ length: 200 }, (_, i) =>
        create(ClusterSchema, {
          name: `cluster-${i}`,
          altStatName: `${version}`.repeat(500),
        })),
    });
  cache.set("node", large(1));
  const sent: string[] = [];
  await using server = await serve({
    cache,
    ...local,
    observer: (event) => {
      if (event.kind === "send") sent.push(event.version);
    },
  });
  using slow = new GrpcClient(server.addr.port);
  const { stream, first } = await subscribed(slow);
  assertEquals(first.versionInfo, "1");
  for (let version = 2; version <= 9; version++) {
    cache.set("node", large(version));
  }
  // It has not answered the first response, so none of these may be on its way.
  assertEquals(sent, ["1"]);
  stream.send({ typeUrl: TypeUrl.Cluster, responseNonce: first.nonce });
  assertEquals((await stream.next()).versionInfo, "9");
  assertEquals(sent, ["1", "9"]);
  assertLessOrEqual(stream.waiting, 0);
  assert(cache.status("node")[0].types[0].state === "sent");
  stream.cancel();
});
