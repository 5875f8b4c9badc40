import { create } from "@bufbuild/protobuf";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { Agent as PlainAgent, request as plain } from "node:http";
import { Agent as SecureAgent, request as secure } from "node:https";
import { connect, type Socket } from "node:net";
import { ClusterSchema } from "@xds/envoy/envoy/config/cluster/v3";
import {
  createSnapshot,
  ListenError,
  serve,
  type ServeOptions,
  type ServerEvent,
  SnapshotCache,
  TypeUrl,
} from "../../mod.ts";
import { Ending } from "../../lib/server/_ending.ts";
import { pem } from "../support/certs.ts";
import { GrpcClient } from "../support/grpc_client.ts";
import { assertGrowsLinearly } from "../support/growth.ts";
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
    rest: { port: 0 },
    observer: (event) => events.push(event),
    ...options,
  });
  return { cache, events, server, port: server.restAddr!.port };
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

/** Shuts a server down, which is to take no longer than its clients need. */
async function shutDown(server: { shutdown: (o: object) => Promise<void> }) {
  const start = performance.now();
  await server.shutdown({ deadline: 20_000 });
  assert(performance.now() - start < 5_000, "it waited for its deadline");
}

for (const isSecure of [false, true]) {
  const way = isSecure ? "over mutual TLS" : "in the clear";
  const security = isSecure ? { tls } : {};

  Deno.test(`REST and gRPC have a port each, ${way}`, async () => {
    const { events, server, port } = await scene(security);
    await using _ = server;
    const { status, body } = await post(port, { isSecure });
    assertEquals(status, 200);
    assertEquals(JSON.parse(body).resources[0].name, "a");
    using client = new GrpcClient(
      server.addr.port,
      isSecure ? clientTls : undefined,
    );
    const stream = client.sotw();
    stream.send({ node, typeUrl: TypeUrl.Cluster });
    assertEquals((await stream.next()).resources.length, 1);
    stream.cancel();
    const opened = events.filter(({ kind }) => kind === "open");
    assertEquals(opened.length, 2);
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
      rest: { port: 0, deadline: 20 },
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
      rest: { port: 0, deadline: 60_000 },
      ...security,
    });
    const body = { node, version_info: "1" };
    const waiting = post(port, { isSecure, body });
    await until(
      "it to wait",
      () => events.some(({ kind }) => kind === "subscribe"),
    );
    await shutDown(server);
    assertEquals((await waiting).status, 304);
  });

  Deno.test(`a client that goes away is no longer waited for, ${way}`, async () => {
    const { cache, server, port } = await scene({
      rest: { port: 0, deadline: 60_000 },
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

Deno.test("HTTP/1 is not spoken on the port of gRPC, and REST not served there", async () => {
  for (const options of [{}, { tls }]) {
    const { server } = await scene(options);
    const { port } = server.addr;
    const isSecure = "tls" in options;
    if (isSecure) assertEquals((await post(port, { isSecure })).status, 505);
    else await assertRejects(() => post(port));
    await shutDown(server);
  }
});

Deno.test("if there is no port for REST, there is none for gRPC either", async () => {
  const { server, port } = await scene();
  await using _ = server;
  await assertRejects(() => scene({ rest: { port } }), ListenError);
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

/** What a server sends back for bytes, until it closes or there is as much as is waited for. */
class Raw implements Disposable {
  text = "";
  isClosed = false;
  readonly #socket: Socket;

  constructor(port: number, ...parts: string[]) {
    this.#socket = connect({ port, host: "127.0.0.1", noDelay: true });
    this.#socket.on("data", (part) => this.text += part.toString("latin1"));
    this.#socket.on("error", () => {});
    this.#socket.on("close", () => this.isClosed = true);
    for (const part of parts) this.#socket.write(part);
  }

  write(text: string) {
    this.#socket.write(text);
  }

  count(text: string): number {
    return this.text.split(text).length - 1;
  }

  [Symbol.dispose]() {
    this.#socket.destroy();
  }
}

function requestOf(
  body: string,
  { method = "POST", target = CLUSTERS, length = body.length, more = "" } = {},
): string {
  return `${method} ${target} HTTP/1.1\r\nhost: a\r\n${more}` +
    `content-type: application/json\r\ncontent-length: ${length}\r\n\r\n${body}`;
}

const good = JSON.stringify({ node });
const waiting = JSON.stringify({ node, version_info: "1" });

Deno.test("requests that are sent without waiting for answers are answered in their order, up to a limit", async () => {
  const { cache, server, events, port } = await scene({
    limits: { streamsPerConnection: 20 },
  });
  await using _ = server;
  using few = new Raw(port, requestOf(good).repeat(20));
  await until("all answers", () => few.count("HTTP/1.1 200") === 20);
  using many = new Raw(port, requestOf(waiting).repeat(500));
  await until("its end", () => many.isClosed);
  const limits = events.filter((event) => event.kind === "limit");
  assertEquals(limits.map(({ limit }) => limit), ["streamsPerConnection"]);
  await until(
    "all polls to end with their connection",
    () => cache.status("node").length === 0,
    5_000,
  );
  const opened = events.filter(({ kind }) => kind === "open").length;
  assert(opened <= 41, `${opened} requests were taken`);
});

Deno.test("requests that come in half, and connections without any, are not waited for", async () => {
  const { server, port } = await scene({
    limits: { openTimeout: 200, idleTimeout: 200 },
  });
  await using _ = server;
  using headers = new Raw(port, "POST /v3/discovery:clusters HTTP/1.1\r\nhos");
  using body = new Raw(port, requestOf(good, { length: 1_000 }));
  using idle = new Raw(port, requestOf(good));
  using silent = new Raw(port);
  for (const raw of [headers, body, idle, silent]) {
    await until("its end", () => raw.isClosed, 10_000);
  }
  assertEquals(idle.count("HTTP/1.1 200"), 1);
});

Deno.test("a body without end is not read for long", async () => {
  const { server, port } = await scene({ limits: { messageBytes: 1_000 } });
  await using _ = server;
  using endless = new Raw(port, requestOf("", { length: 1e12 }));
  const part = "x".repeat(64 * 1024);
  await until("its end", () => {
    endless.write(part);
    return endless.isClosed;
  });
});

Deno.test("HEAD has no body, Expect is answered, and a target may be a whole URL", async () => {
  const { server, port } = await scene();
  await using _ = server;
  using head = new Raw(port, requestOf("", { method: "HEAD" }));
  await until("an answer to HEAD", () => head.text.includes("\r\n\r\n"));
  assertEquals(head.text.split("\r\n\r\n")[1], "");
  assertEquals(head.text.slice(0, 12), "HTTP/1.1 405");
  const more = "expect: 100-continue\r\n";
  using expects = new Raw(port, requestOf("", { more, length: good.length }));
  await until("100", () => expects.text.startsWith("HTTP/1.1 100"));
  expects.write(good);
  await until("an answer", () => expects.count("HTTP/1.1 200") === 1);
  using absolute = new Raw(
    port,
    requestOf(good, { target: `http://somewhere${CLUSTERS}` }),
  );
  await until("an answer", () => absolute.count("HTTP/1.1 200") === 1);
});

Deno.test("large bodies arrive as they were sent, however they are cut", async () => {
  const { server, port } = await scene();
  await using _ = server;
  const names = Array.from({ length: 40_000 }, (_, i) => `cluster-number-${i}`);
  const body = JSON.stringify({ node, resource_names: ["a", ...names] });
  assert(body.length > 800_000);
  for (let i = 0; i < 10; i++) {
    assertEquals((await post(port, { body: JSON.parse(body) })).status, 200);
  }
});

Deno.test("polls that wait cost no more each, however many there are", async () => {
  await assertGrowsLinearly(200, (size) => {
    const ending = new Ending(new AbortController().signal);
    return () => {
      const ends = Array.from({ length: size * 50 }, () => () => {});
      for (const end of ends) ending.add(end);
      for (const end of ends) ending.delete(end);
    };
  });
});
