import { create } from "@bufbuild/protobuf";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { Agent as PlainAgent, request as plain } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { Agent as SecureAgent, request as secure } from "node:https";
import { connect, type Socket } from "node:net";
import { ClusterSchema } from "@xds/envoy/envoy/config/cluster/v3";
import {
  createSnapshot,
  serve,
  type ServeOptions,
  type ServerEvent,
  SnapshotCache,
  TypeUrl,
} from "../../mod.ts";
import { pem } from "../support/certs.ts";
import { GrpcClient } from "../support/grpc_client.ts";
import { until } from "../support/until.ts";

const CLUSTERS = "/v3/discovery:clusters";
const node = { id: "node" };
const tls = {
  cert: pem("server.pem"),
  key: pem("server.key"),
  clientCa: pem("ca.pem"),
};
const clientTls = {
  ca: pem("ca.pem"),
  cert: pem("client.pem"),
  key: pem("client.key"),
};

async function scene(options: Partial<ServeOptions> = {}) {
  const cache = new SnapshotCache();
  const resources = [create(ClusterSchema, { name: "a" })];
  cache.set("node", createSnapshot({ version: "1", resources }));
  const events: ServerEvent[] = [];
  const server = await serve({
    cache,
    hostname: "127.0.0.1",
    port: 0,
    rest: true,
    observer: (event) => events.push(event),
    ...options,
  });
  return { cache, events, server, port: server.addr.port };
}

interface Answer {
  status: number;
  body: string;
}

interface Asked {
  body?: unknown;
  path?: string;
  agent?: PlainAgent | SecureAgent;
  isSecure?: boolean;
}

/** A POST over HTTP/1. */
function post(
  port: number,
  { body = { node }, path = CLUSTERS, agent, isSecure = false }: Asked = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const target = {
      hostname: "127.0.0.1",
      port,
      path,
      method: "POST",
      agent: agent ?? false,
      headers: { "content-type": "application/json" },
    } as const;
    const request = isSecure
      ? secure({ ...target, ...clientTls, servername: "localhost" })
      : plain(target);
    request.on("response", (response) => {
      let body = "";
      response.on("data", (chunk) => body += chunk);
      response.on("end", () => resolve({ status: response.statusCode!, body }));
      response.on("error", reject);
    });
    request.on("error", reject);
    request.end(JSON.stringify(body));
  });
}

/** A POST over HTTP/2. */
async function postHttp2(
  port: number,
  body: unknown,
  isSecure: boolean,
): Promise<Answer> {
  const session = isSecure
    ? connectHttp2(`https://localhost:${port}`, clientTls)
    : connectHttp2(`http://127.0.0.1:${port}`);
  try {
    return await new Promise<Answer>((resolve, reject) => {
      session.on("error", reject);
      const stream = session.request({
        ":method": "POST",
        ":path": CLUSTERS,
        "content-type": "application/json",
      });
      let status = 0;
      let text = "";
      stream.on("response", (headers) => status = Number(headers[":status"]));
      stream.on("data", (chunk) => text += chunk);
      stream.on("end", () => resolve({ status, body: text }));
      stream.on("error", reject);
      stream.end(JSON.stringify(body));
    });
  } finally {
    session.close();
  }
}

/** Shuts a server down, which is to take no longer than its clients need. */
async function shutDown(server: { shutdown: (o: object) => Promise<void> }) {
  const start = performance.now();
  await server.shutdown({ deadline: 20_000 });
  assert(performance.now() - start < 5_000, "it waited for its deadline");
}

for (const isSecure of [false, true]) {
  const way = isSecure ? "over mutual TLS" : "in the clear";
  const security = isSecure ? { tls } : {};

  Deno.test(`one port speaks REST over HTTP/1 and HTTP/2, and gRPC, ${way}`, async () => {
    const { events, server, port } = await scene(security);
    await using _ = server;
    for (
      const { status, body } of [
        await post(port, { isSecure }),
        await postHttp2(port, { node }, isSecure),
      ]
    ) {
      assertEquals(status, 200);
      assertEquals(JSON.parse(body).resources[0].name, "a");
    }
    using client = new GrpcClient(port, isSecure ? clientTls : undefined);
    const stream = client.sotw();
    stream.send({ node, typeUrl: TypeUrl.Cluster });
    assertEquals((await stream.next()).resources.length, 1);
    stream.cancel();
    const opened = events.filter(({ kind }) => kind === "open");
    assertEquals(opened.length, 3);
    for (const { stream } of opened) {
      const peer = stream!.peer;
      assertEquals(peer.hostname, "127.0.0.1");
      assert(peer.port > 0);
      const name = peer.certificate?.commonName;
      assertEquals(name, isSecure ? "edge-1" : undefined);
    }
  });

  Deno.test(`a connection of HTTP/1 serves many requests, and closes with the server, ${way}`, async () => {
    const { events, server, port } = await scene({
      rest: { deadline: 20 },
      ...security,
    });
    const options = { keepAlive: true, maxSockets: 1 };
    const agent = isSecure ? new SecureAgent(options) : new PlainAgent(options);
    const bodies = [
      { node },
      { node, version_info: "1" },
      { node: {} },
      { x: 1 },
      { node },
    ];
    const statuses: number[] = [];
    for (const body of bodies) {
      statuses.push((await post(port, { agent, body, isSecure })).status);
    }
    assertEquals(statuses, [200, 304, 503, 400, 200]);
    const ports = events.map(({ stream }) => stream?.peer.port);
    assertEquals(new Set(ports).size, 1);
    await shutDown(server);
    agent.destroy();
    await assertRejects(() => post(port, { isSecure }));
  });

  Deno.test(`a shutdown answers what waits, ${way}`, async () => {
    const { events, server, port } = await scene({
      rest: { deadline: 60_000 },
      ...security,
    });
    const body = { node, version_info: "1" };
    const waiting = [
      post(port, { isSecure, body }),
      postHttp2(port, body, isSecure),
    ];
    await until(
      "both to wait",
      () => events.filter(({ kind }) => kind === "subscribe").length === 2,
    );
    await shutDown(server);
    for (const { status } of await Promise.all(waiting)) {
      assertEquals(status, 304);
    }
  });

  Deno.test(`a client that goes away is no longer waited for, ${way}`, async () => {
    const { cache, server, port } = await scene({
      rest: { deadline: 60_000 },
      ...security,
    });
    await using _ = server;
    const agent = isSecure ? new SecureAgent() : new PlainAgent();
    const body = { node, version_info: "1" };
    const waiting = post(port, { agent, body, isSecure })
      .catch((error) => error);
    await until("the watch", () => cache.status("node").length === 1);
    agent.destroy();
    await until("its end", () => cache.status("node").length === 0);
    assert(await waiting instanceof Error);
  });
}

/** Writes to a connection in pieces, each of them a packet of its own, and waits for an answer. */
async function piecemeal(
  port: number,
  pieces: readonly string[],
): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  await new Promise<void>((done) => socket.once("connect", done));
  const answered = new Promise<string>((resolve) =>
    socket.once("data", (data) => resolve(data.toString("latin1")))
  );
  for (const piece of pieces) {
    await new Promise<void>((done) => socket.write(piece, () => done()));
    await new Promise((done) => setTimeout(done, 2));
  }
  const answer = await answered;
  socket.destroy();
  return answer;
}

Deno.test("what a connection speaks is told though its beginning comes in pieces", async () => {
  const { server, port } = await scene();
  await using _ = server;
  const preface = [
    ..."PRI * HTTP/2.0",
    "\r\n\r\nSM",
    "\r\n\r\n\0\0\0\x04\0\0\0\0\0",
  ];
  const settings = await piecemeal(port, preface);
  assertEquals(settings.charCodeAt(3), 4);
  for (const method of ["PUT", "PRO"]) {
    const pieces = [...method, ` ${CLUSTERS} HTTP/1.1\r\n`, "host: a\r\n\r\n"];
    const answer = await piecemeal(port, pieces);
    const status = method === "PUT" ? 405 : 400;
    assertEquals(answer.slice(0, 12), `HTTP/1.1 ${status}`);
  }
});

Deno.test("connections that have said nothing close with the server", async () => {
  const { server, port } = await scene();
  const sockets: Socket[] = [];
  for (const said of ["", "PRI * HT", "POST /v3/dis"]) {
    const socket = connect({ port, host: "127.0.0.1" });
    await new Promise<void>((done) => socket.once("connect", done));
    if (said) {
      await new Promise<void>((done) => socket.write(said, () => done()));
    }
    sockets.push(socket);
  }
  await shutDown(server);
  for (const socket of sockets) socket.destroy();
});

Deno.test("HTTP/1 is not spoken unless REST is served", async () => {
  for (const options of [{ rest: false }, { rest: false, tls }]) {
    const { server, port } = await scene(options);
    const isSecure = "tls" in options;
    if (isSecure) assertEquals((await post(port, { isSecure })).status, 505);
    else await assertRejects(() => post(port));
    assertEquals((await postHttp2(port, { node }, isSecure)).status, 404);
    await shutDown(server);
  }
});

Deno.test("what is no REST over HTTP/1 is refused", async () => {
  const { server, port } = await scene();
  await using _ = server;
  const ads =
    "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources";
  for (
    const [path, status] of [
      ["/", 404],
      ["/v3/discovery:else", 404],
      [ads, 415],
    ] as const
  ) {
    assertEquals((await post(port, { path })).status, status);
  }
});
