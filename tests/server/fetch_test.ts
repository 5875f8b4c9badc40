import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Client, credentials, type ServiceError } from "@grpc/grpc-js";
import { Buffer } from "node:buffer";
import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { ClusterSchema } from "@xds/envoy/envoy/config/cluster/v3";
import {
  type DiscoveryRequest,
  DiscoveryRequestSchema,
  type DiscoveryResponse,
  DiscoveryResponseSchema,
} from "@xds/envoy/envoy/service/discovery/v3";
import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  type Cache,
  createResource,
  createSnapshot,
  type RoutesOptions,
  serve,
  type ServerEvent,
  SnapshotCache,
  TypeUrl,
  View,
  xdsRoutes,
} from "../../mod.ts";
import { discoveryServices, isFetch } from "../../lib/server/services.ts";
import { listener, rds } from "../support/resources.ts";

const UNKNOWN = 2;
const INVALID_ARGUMENT = 3;
const DEADLINE_EXCEEDED = 4;
const PERMISSION_DENIED = 7;
const RESOURCE_EXHAUSTED = 8;
const UNIMPLEMENTED = 12;
const CDS = "/envoy.service.cluster.v3.ClusterDiscoveryService/FetchClusters";
const node = { id: "node" };

type Answer = DiscoveryResponse | { code: number; details: string };

/** A unary call over grpc-js. */
function call(
  port: number,
  request: MessageInitShape<typeof DiscoveryRequestSchema>,
  { path = CDS, deadline = 10_000 } = {},
): Promise<Answer> {
  const client = new Client(
    `127.0.0.1:${port}`,
    credentials.createInsecure(),
    { "grpc.use_local_subchannel_pool": 1 },
  );
  return new Promise<Answer>((resolve) =>
    client.makeUnaryRequest<DiscoveryRequest, DiscoveryResponse>(
      path,
      (message) => Buffer.from(toBinary(DiscoveryRequestSchema, message)),
      (bytes) => fromBinary(DiscoveryResponseSchema, bytes),
      create(DiscoveryRequestSchema, request),
      { deadline: Date.now() + deadline },
      (error: ServiceError | null, response) => {
        resolve(response ?? { code: error!.code, details: error!.details });
      },
    )
  ).finally(() => client.close());
}

function clusters(...names: string[]) {
  return createSnapshot({
    resources: names.map((name) => create(ClusterSchema, { name })),
  });
}

function cacheWith(...names: string[]): SnapshotCache {
  const cache = new SnapshotCache();
  cache.set("node", clusters(...names));
  return cache;
}

interface Served extends AsyncDisposable {
  port: number;
}

async function served(options: RoutesOptions): Promise<Served> {
  const server = await serve({ ...options, hostname: "127.0.0.1", port: 0 });
  return {
    port: server.addr.port,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

async function routed(options: RoutesOptions): Promise<Served> {
  const server = createServer(
    connectNodeAdapter({ routes: xdsRoutes(options) }),
  );
  const sessions = new Set<{ close(): void }>();
  server.on("session", (session) => sessions.add(session));
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const session of sessions) session.close();
      await new Promise((done) => server.close(done));
    },
  };
}

for (
  const [where, start] of [["serve", served], ["xdsRoutes", routed]] as const
) {
  Deno.test(`${where}: a request is answered once, and a client that has it all is told so`, async () => {
    const events: ServerEvent[] = [];
    const cache = cacheWith("a", "b");
    const observer = (event: ServerEvent) => events.push(event);
    await using server = await start({ cache, observer });
    const answer = await call(server.port, { node });
    assert("resources" in answer, JSON.stringify(answer));
    assertEquals(answer.resources.length, 2);
    assertEquals(answer.typeUrl, TypeUrl.Cluster);
    const { versionInfo } = answer;
    assertEquals(versionInfo, clusters("a", "b").version(TypeUrl.Cluster));
    assertEquals(events.map(({ kind }) => kind), [
      "open",
      "request",
      "node",
      "subscribe",
      "send",
      "close",
    ]);
    const closed = events.find((event) => event.kind === "close");
    assertEquals(closed?.code, 0);
    if (where === "serve") {
      assertEquals(events[0].stream!.peer.hostname, "127.0.0.1");
    }
    // As go-control-plane.
    assertEquals(await call(server.port, { node, versionInfo }), {
      code: UNKNOWN,
      details: "skip fetch: version up to date",
    });
    cache.set("node", clusters("c"));
    const next = await call(server.port, { node, versionInfo });
    assert("resources" in next && next.resources.length === 1);
    assertEquals(cache.status("node"), []);
  });
}

Deno.test("who may not have something is refused, by what its headers say", async () => {
  const cache = cacheWith("a");
  await using server = await served({
    cache,
    authenticate: (_, headers) =>
      Promise.resolve(headers.get("user-agent") ?? undefined),
    authorize: async ({ node }) => await Promise.resolve(node.id === "node"),
  });
  const { port } = server;
  const answer = await call(port, { node });
  assert("resources" in answer, JSON.stringify(answer));
  const { versionInfo } = answer;
  const unchanged = await call(port, { node, versionInfo });
  assertEquals("code" in unchanged && unchanged.code, UNKNOWN);
  const refused = await call(port, { node: { id: "else" } });
  assertEquals("code" in refused && refused.code, PERMISSION_DENIED);
});

Deno.test("every service that has a unary method serves it", async () => {
  const fetches = discoveryServices.flatMap(({ service, typeUrl }) =>
    service.methods.filter(isFetch).map(({ name }) => ({
      path: `/${service.typeName}/${name}`,
      typeUrl: typeUrl!,
    }))
  );
  assertEquals(fetches.length, 9);
  const bytes = new Uint8Array();
  const cache = new SnapshotCache();
  cache.set(
    "node",
    createSnapshot({
      resources: fetches.map(({ typeUrl }) =>
        createResource({ typeUrl, name: "one", bytes })
      ),
    }),
  );
  await using server = await served({ cache });
  for (const { path, typeUrl } of fetches) {
    const answer = await call(server.port, { node, resourceNames: ["one"] }, {
      path,
    });
    assert("resources" in answer, `${path}: ${JSON.stringify(answer)}`);
    assertEquals(answer.resources.map((any) => any.typeUrl), [typeUrl]);
  }
});

Deno.test("a bad request has the status that it has on a stream", async () => {
  const cache = cacheWith("a");
  const limits = { names: 1, messageBytes: 100 };
  const events: ServerEvent[] = [];
  const observer = (event: ServerEvent) => events.push(event);
  await using server = await served({ cache, limits, observer });
  const { port } = server;
  const refusals = [
    [INVALID_ARGUMENT, "must carry the client's node", {}],
    [INVALID_ARGUMENT, `serves ${TypeUrl.Cluster}`, { node, typeUrl: "a/b" }],
    [RESOURCE_EXHAUSTED, "2 names of Cluster", {
      node,
      resourceNames: ["a", "b"],
    }],
    [RESOURCE_EXHAUSTED, "100", { node: { id: "n".repeat(200) } }],
  ] as const;
  for (const [code, says, request] of refusals) {
    const answer = await call(
      port,
      request as MessageInitShape<typeof DiscoveryRequestSchema>,
    );
    assert("code" in answer);
    assertEquals(answer.code, code, answer.details);
    assertStringIncludes(answer.details, says);
  }
  const reached = events.filter((event) => event.kind === "limit");
  assertEquals(reached.map(({ limit, value }) => [limit, value]), [
    ["names", 1],
    ["messageBytes", 100],
  ]);
  assertEquals(reached[1].peer.hostname, "127.0.0.1");
  const path = CDS.replace("FetchClusters", "FetchCluster");
  const answer = await call(port, { node }, { path });
  assertEquals("code" in answer && answer.code, UNIMPLEMENTED);
});

Deno.test("a request waits for a cache that has yet to say what there is", async () => {
  const cache = cacheWith("a");
  cache.delete("node");
  const events: ServerEvent[] = [];
  const set = Promise.withResolvers<void>();
  await using server = await served({
    cache,
    observer: (event) => {
      events.push(event);
      if (event.kind === "subscribe") set.resolve();
    },
  });
  const waiting = call(server.port, { node });
  await set.promise;
  cache.set("node", clusters("a"));
  assert("resources" in await waiting);

  const late = await call(server.port, { node: { id: "else" } }, {
    deadline: 100,
  });
  assertEquals("code" in late && late.code, DEADLINE_EXCEEDED);
});

Deno.test("a name that is yet to be resolved is waited for", async () => {
  const users = createResource(create(ClusterSchema, { name: "users" }));
  let isPending = true;
  const pending = new View(new Map(), {
    isPending: () => isPending,
  });
  const known = new View(new Map([[users.name, users]]));
  const cache: Cache = {
    watch(_, sink) {
      sink.changed(pending);
      const timer = setTimeout(() => {
        isPending = false;
        sink.changed(known, new Set(["users"]));
      }, 20);
      return { [Symbol.dispose]: () => clearTimeout(timer) };
    },
  };
  await using server = await served({ cache });
  const answer = await call(server.port, { node, resourceNames: ["users"] });
  assert("resources" in answer && answer.resources.length === 1);
});

Deno.test("Connect serves it, too, in JSON with all that is in it", async () => {
  const cache = cacheWith("a");
  const web = listener("web", { routeSpecifier: rds("routes", "sotw") });
  cache.set("node", createSnapshot({ resources: [web] }));
  const server = await serve({
    cache,
    hostname: "127.0.0.1",
    port: 0,
    rest: { port: 0 },
  });
  const response = await fetch(
    `http://127.0.0.1:${
      server.restAddr!.port
    }/envoy.service.listener.v3.ListenerDiscoveryService/FetchListeners`,
    {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ node }),
    },
  );
  const { resources } = await response.json();
  const http = resources[0].filterChains[0].filters[0].typedConfig;
  assertEquals(http.rds.routeConfigName, "routes");
  await server.shutdown();
});

Deno.test("Connect refuses what is too large, with and without a size that is said before", async () => {
  const reached: ServerEvent[] = [];
  const server = await serve({
    cache: cacheWith("a"),
    hostname: "127.0.0.1",
    port: 0,
    rest: { port: 0 },
    limits: { messageBytes: 100 },
    observer: (event) => event.kind === "limit" && reached.push(event),
  });
  const text = JSON.stringify({ node: { id: "n".repeat(200) } });
  const bytes = new TextEncoder().encode(text);
  const parts = [bytes.subarray(0, 50), bytes.subarray(50)];
  for (const body of [bytes, ReadableStream.from(parts)]) {
    const response = await fetch(
      `http://127.0.0.1:${server.restAddr!.port}${CDS}`,
      {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
      },
    );
    assertEquals((await response.json()).code, "resource_exhausted");
  }
  assertEquals(reached.length, 2);
  await server.shutdown();
});
