import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  type Cache,
  ListenError,
  serve,
  type ServeOptions,
  SnapshotCache,
  TlsError,
  TypeUrl,
} from "../../mod.ts";
import { pem } from "../support/certs.ts";
import { GrpcClient } from "../support/grpc_client.ts";
import { clusters, node, scene } from "./_scene.ts";

const INVALID_ARGUMENT = 3;
const RESOURCE_EXHAUSTED = 8;
const UNIMPLEMENTED = 12;
const INTERNAL = 13;
const CDS = "/envoy.service.cluster.v3.ClusterDiscoveryService/StreamClusters";

Deno.test("a first request without a node ends its stream", async () => {
  await using at = await scene();
  const stream = at.client.sotw();
  stream.send({ typeUrl: TypeUrl.Cluster });
  assertEquals(await stream.status, {
    code: INVALID_ARGUMENT,
    details:
      "the first request on a stream must carry the client's node, and this one has none",
  });
});

Deno.test("a request for another type than the service's ends its stream", async () => {
  await using at = await scene();
  const stream = at.client.sotw(CDS);
  stream.send({ node, typeUrl: TypeUrl.Listener });
  assertEquals(await stream.status, {
    code: INVALID_ARGUMENT,
    details:
      `this service serves ${TypeUrl.Cluster}, not "${TypeUrl.Listener}"`,
  });
});

Deno.test("on a single-type service, no type URL means the service's", async () => {
  await using at = await scene();
  const stream = at.client.sotw(CDS);
  stream.send({ node });
  assertEquals((await stream.next()).typeUrl, TypeUrl.Cluster);
  stream.cancel();
});

Deno.test("a request without a type URL ends an aggregated stream", async () => {
  await using at = await scene();
  const stream = at.client.delta();
  stream.send({ node });
  assertEquals(await stream.status, {
    code: INVALID_ARGUMENT,
    details:
      "a request on an aggregated stream must carry a type URL, and this one has none",
  });
});

Deno.test("what is no type URL ends its stream", async () => {
  await using at = await scene();
  const stream = at.client.sotw();
  stream.send({ node, typeUrl: "clusters" });
  assertEquals(await stream.status, {
    code: INVALID_ARGUMENT,
    details:
      '"clusters" is no type URL; it has the form type.googleapis.com/envoy.config.cluster.v3.Cluster',
  });
});

Deno.test("bytes that do not parse end their stream", async () => {
  await using at = await scene();
  const sotw = at.client.sotw();
  sotw.sendBytes(new Uint8Array([0x0a, 0x7f, 1, 2]));
  assertEquals(await sotw.status, {
    code: INVALID_ARGUMENT,
    details:
      "a message of 4 bytes does not parse as DiscoveryRequest: not a protobuf message: " +
      "field 1 ends past the last byte",
  });
  const delta = at.client.delta();
  delta.sendBytes(new Uint8Array([0x0f]));
  const { code, details } = await delta.status;
  assertEquals(code, INVALID_ARGUMENT);
  assertStringIncludes(
    details,
    "does not parse as DeltaDiscoveryRequest: not a protobuf message: wire type 7",
  );
});

Deno.test("names that are no UTF-8 end their stream", async () => {
  await using at = await scene();
  const stream = at.client.sotw();
  stream.sendBytes(new Uint8Array([0x1a, 2, 0xff, 0xfe]));
  assertEquals((await stream.status).code, INVALID_ARGUMENT);
});

Deno.test("more names than the limit end their stream", async () => {
  await using at = await scene({ limits: { names: 1_000 } });
  const names = Array.from({ length: 1_001 }, (_, i) => `cluster-${i}`);
  const sotw = at.client.sotw();
  sotw.send({ node, typeUrl: TypeUrl.Cluster, resourceNames: names });
  const details =
    "1001 names of Cluster are more than the 1000 that a stream may ask for; " +
    "ask for fewer, or subscribe to the wildcard";
  assertEquals(await sotw.status, { code: RESOURCE_EXHAUSTED, details });

  const delta = at.client.delta();
  delta.send({
    node,
    typeUrl: TypeUrl.Cluster,
    resourceNamesSubscribe: names.slice(0, 1_000),
  });
  await delta.next();
  delta.send({
    typeUrl: TypeUrl.Cluster,
    resourceNamesSubscribe: names.slice(1_000),
  });
  assertEquals(await delta.status, { code: RESOURCE_EXHAUSTED, details });
});

Deno.test("a huge subscription within the limit is served", async () => {
  await using at = await scene();
  const names = Array.from({ length: 100_000 }, (_, i) => `cluster-${i}`);
  const stream = at.client.delta();
  stream.send({
    node,
    typeUrl: TypeUrl.Cluster,
    resourceNamesSubscribe: names,
  });
  assertEquals((await stream.next()).removedResources.length, 100_000);
  stream.cancel();
});

Deno.test("a request larger than the limit ends its stream", async () => {
  await using at = await scene({ limits: { messageBytes: 1_000 } });
  const stream = at.client.sotw();
  stream.send({
    node,
    typeUrl: TypeUrl.Cluster,
    resourceNames: ["x".repeat(2_000)],
  });
  const { code, details } = await stream.status;
  assertEquals(code, RESOURCE_EXHAUSTED);
  assertStringIncludes(
    details,
    "bytes is larger than the 1000 that are allowed",
  );
});

Deno.test("a stale nonce is passed over, and the stream goes on", async () => {
  await using at = await scene();
  const stream = at.client.sotw();
  stream.send({ node, typeUrl: TypeUrl.Cluster, resourceNames: ["a"] });
  const { nonce } = await stream.next();
  stream.send({
    typeUrl: TypeUrl.Cluster,
    resourceNames: ["a", "lost"],
    responseNonce: "not-a-nonce",
  });
  stream.send({
    typeUrl: TypeUrl.Cluster,
    resourceNames: ["a", "b"],
    responseNonce: nonce,
  });
  const next = await stream.next();
  assertEquals(next.resourceErrors.map((error) => error.resourceName?.name), [
    "b",
  ]);
  assertEquals(at.events.filter((event) => event.kind === "stale").length, 1);
  stream.cancel();
});

Deno.test("an unknown method is unimplemented", async () => {
  await using at = await scene();
  const { code } = await at.client.sotw(
    "/envoy.service.cluster.v3.ClusterDiscoveryService/Nothing",
  ).status;
  assertEquals(code, UNIMPLEMENTED);
});

Deno.test("a client that vanishes ends its own stream alone", async () => {
  await using at = await scene();
  using other = new GrpcClient(at.port);
  const stream = other.sotw();
  stream.send({ node: { id: "gone" }, typeUrl: TypeUrl.Cluster });
  stream.send({ typeUrl: TypeUrl.Cluster });
  stream.cancel();
  await stream.status;
});

Deno.test("an observer that throws is told of the rest, and breaks no stream", async () => {
  const told: string[] = [];
  const printed: unknown[][] = [];
  const print = console.error;
  console.error = (...args) => printed.push(args);
  try {
    await using _ = await scene({
      observer: (event) => {
        told.push(event.kind);
        throw new Error("observer's own bug");
      },
    });
  } finally {
    console.error = print;
  }
  assertEquals(told.slice(0, 5), [
    "open",
    "request",
    "node",
    "subscribe",
    "send",
  ]);
  assertEquals(
    printed[0][0],
    'xds: the observer threw when it was told of "open":',
  );
  assertEquals((printed[0][1] as Error).message, "observer's own bug");
});

Deno.test("what a cache throws ends the stream that it was asked for", async () => {
  const good = new SnapshotCache();
  good.set("node", clusters("a"));
  const cache: Cache = {
    watch(request, sink) {
      if (request.client.node.id === "bad") throw new Error("no such group");
      return good.watch(request, sink);
    },
  };
  await using server = await serve({ cache, hostname: "127.0.0.1", port: 0 });
  using client = new GrpcClient(server.addr.port);
  const bad = client.sotw();
  bad.send({ node: { id: "bad" }, typeUrl: TypeUrl.Cluster });
  assertEquals(await bad.status, {
    code: INTERNAL,
    details: "the cache failed",
  });
  const honest = client.sotw();
  honest.send({ node, typeUrl: TypeUrl.Cluster });
  assertEquals((await honest.next()).resources.length, 1);
  honest.cancel();
});

Deno.test("a port in use is said to be", async () => {
  await using at = await scene();
  const error = await assertRejects(
    () =>
      serve({
        cache: new SnapshotCache(),
        hostname: "127.0.0.1",
        port: at.port,
      }),
    ListenError,
  );
  assertEquals(
    error.message,
    `cannot listen on 127.0.0.1:${at.port}: another process listens there; choose another port, or 0 for one that is free`,
  );
  assertEquals((error.cause as { code?: string }).code, "EADDRINUSE");
});

Deno.test("a certificate or key that cannot be used is named", async () => {
  const cert = pem("server.pem");
  const key = pem("server.key");
  const refused = (tls: ServeOptions["tls"]) =>
    assertRejects(
      () =>
        serve({
          cache: new SnapshotCache(),
          hostname: "127.0.0.1",
          port: 0,
          tls,
        }),
      TlsError,
    );
  assertStringIncludes(
    (await refused({ cert: "nonsense", key })).message,
    "tls.cert is no certificate in PEM: ",
  );
  assertStringIncludes(
    (await refused({ cert, key: "nonsense" })).message,
    "tls.key is no private key in PEM: ",
  );
  assertStringIncludes(
    (await refused({ cert, key, clientCa: "?" })).message,
    "tls.clientCa is no certificate in PEM: ",
  );
  assertEquals(
    (await refused({ cert, key: pem("client.key") })).message,
    "tls.key is not the private key of tls.cert",
  );
});
