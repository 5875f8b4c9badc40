import { assertEquals, assertRejects } from "@std/assert";
import { Agent, request as secureRequest } from "node:https";
import { connect, type TLSSocket } from "node:tls";
import {
  type Peer,
  serve,
  type ServeOptions,
  type ServerEvent,
  SnapshotCache,
  TlsError,
  type TlsOptions,
  TypeUrl,
} from "../../mod.ts";
import { pem } from "../support/certs.ts";
import { FakeClock } from "../support/clock.ts";
import { GrpcClient } from "../support/grpc_client.ts";
import { until } from "../support/until.ts";
import { clusters, node } from "./_scene.ts";

const UNAVAILABLE = 14;
const UNAUTHENTICATED = 16;
const ca = pem("ca.pem");
const typeUrl = TypeUrl.Cluster;
const pair = { cert: pem("server.pem"), key: pem("server.key") };
/** When the certificate of `client.pem` expires. */
const EXPIRES = Date.parse("2126-10-31T20:39:25Z");

/** A server that takes certificates and tokens, with a clock of the test's. */
async function scene(options: Partial<ServeOptions<string>> = {}) {
  const cache = new SnapshotCache();
  cache.set("node", clusters("a"));
  const events: ServerEvent[] = [];
  const clock = new FakeClock(EXPIRES - 10_000);
  const server = await serve<string>({
    cache,
    clock,
    hostname: "127.0.0.1",
    port: 0,
    tls: { ...pair, clientCa: ca, clientCertificate: "optional" },
    authenticate: ({ certificate }: Peer, headers) =>
      certificate?.commonName ?? headers.get("authorization"),
    observer: (event) => events.push(event),
    ...options,
  });
  return {
    cache,
    clock,
    events,
    port: (server.restAddr ?? server.addr).port,
    [Symbol.asyncDispose]: () => server.shutdown({ deadline: 100 }),
  };
}

function withCertificate(port: number, name: string): GrpcClient {
  const cert = pem(`${name}.pem`);
  return new GrpcClient(port, { ca, cert, key: pem(`${name}.key`) });
}

function withToken(port: number, token?: string): GrpcClient {
  const headers = token === undefined ? undefined : { authorization: token };
  return new GrpcClient(port, { ca }, headers);
}

Deno.test("certificates and tokens are taken on one port, and bad certificates on none", async () => {
  await using at = await scene();
  using certified = withCertificate(at.port, "client");
  using tokened = withToken(at.port, "edge-2");
  for (const client of [certified, tokened]) {
    const stream = client.sotw();
    stream.send({ node, typeUrl });
    assertEquals((await stream.next()).resources.length, 1);
    stream.cancel();
  }
  using nobody = withToken(at.port);
  assertEquals((await nobody.sotw().status).code, UNAUTHENTICATED);
  for (const bad of ["foreign-client", "expired-client"]) {
    using client = withCertificate(at.port, bad);
    assertEquals((await client.sotw().status).code, UNAVAILABLE);
  }
  const identities = at.events.flatMap((event) =>
    event.kind === "node" ? [event.stream.identity] : []
  );
  assertEquals(identities, ["edge-1", "edge-2"]);
  assertEquals(at.events.filter(({ kind }) => kind === "open").length, 3);
});

Deno.test("a certificate that expires ends the streams and the connection that it stands for", async () => {
  await using at = await scene();
  using certified = withCertificate(at.port, "client");
  using tokened = withToken(at.port, "edge-2");
  const streams = [certified, certified, tokened].map((one) => one.sotw());
  for (const stream of streams) {
    stream.send({ node, typeUrl });
    const { nonce, versionInfo } = await stream.next();
    stream.send({ typeUrl, responseNonce: nonce, versionInfo });
  }
  const peers = new Set(
    at.events.flatMap(({ kind, stream }) =>
      kind === "open" ? [stream!.peer] : []
    ),
  );
  const expiries = [...peers].map(({ certificate }) => certificate?.expires);
  assertEquals(new Set(expiries), new Set([EXPIRES, undefined]));
  at.clock.advance(9_999);
  const closed = () => at.events.filter((event) => event.kind === "close");
  assertEquals(closed(), []);
  at.clock.advance(1);
  const expected = {
    code: UNAUTHENTICATED,
    details:
      "the client's certificate expired at 2126-10-31T20:39:25.000Z; connect again, with a new one",
  };
  for (const stream of streams.slice(0, 2)) {
    assertEquals(await stream.status, expected);
  }
  assertEquals(closed().map(({ code }) => code), [
    UNAUTHENTICATED,
    UNAUTHENTICATED,
  ]);
  // With the same certificate it gets nowhere, and not at once again and again.
  assertEquals((await certified.sotw().status).code, UNAVAILABLE);
  at.cache.set("node", clusters("a", "b"));
  assertEquals((await streams[2].next()).resources.length, 2);
  streams[2].cancel();
});

Deno.test("a connection without streams whose certificate expires is closed", async () => {
  await using at = await scene();
  const socket = await new Promise<TLSSocket>((resolve, reject) => {
    const socket = connect({
      port: at.port,
      host: "127.0.0.1",
      servername: "localhost",
      ca,
      cert: pem("client.pem"),
      key: pem("client.key"),
      ALPNProtocols: ["h2"],
    }, () => resolve(socket));
    socket.on("error", reject);
  });
  const closed = new Promise((resolve) => socket.on("close", resolve));
  let text = "";
  socket.on("data", (part: Uint8Array) => text += part.toString());
  socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  socket.write(new Uint8Array([0, 0, 0, 4, 0, 0, 0, 0, 0]));
  await until("the settings", () => text !== "");
  await until("the watch on the certificate", () => at.clock.pending > 0);
  at.clock.advance(10_000);
  await closed;
});

Deno.test("a connection of HTTP/1 whose certificate expires is closed after its last answer", async () => {
  await using at = await scene({ rest: { port: 0, deadline: 20 } });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const sockets = new Set<unknown>();
  const post = () =>
    new Promise<{ status: number; connection: string | undefined }>(
      (resolve, reject) => {
        const request = secureRequest({
          agent,
          hostname: "127.0.0.1",
          servername: "localhost",
          port: at.port,
          path: "/v3/discovery:clusters",
          method: "POST",
          headers: { "content-type": "application/json" },
          ca,
          cert: pem("client.pem"),
          key: pem("client.key"),
        }, (response) => {
          response.resume();
          response.on("end", () =>
            resolve({
              status: response.statusCode!,
              connection: response.headers.connection,
            }));
        });
        request.on("socket", (socket) => sockets.add(socket));
        request.on("error", reject);
        request.end(JSON.stringify({ node }));
      },
    );
  assertEquals((await post()).status, 200);
  assertEquals((await post()).status, 200);
  assertEquals(sockets.size, 1);
  const [socket] = sockets as Set<TLSSocket>;
  const closed = new Promise((resolve) => socket.on("close", resolve));
  at.clock.advance(10_000);
  await closed;
  agent.destroy();
});

const wrong: [tls: Partial<TlsOptions>, message: string][] = [
  [
    { clientCertificate: "optional" },
    'tls.clientCertificate is "optional", and tls.clientCa is missing',
  ],
  [
    { clientCa: ca, clientCertificate: "never" as "optional" },
    'tls.clientCertificate is "never": it must be "required" or "optional"',
  ],
];

for (const [tls, message] of wrong) {
  Deno.test(`options of TLS that do not fit are refused: ${message}`, async () => {
    const options = { cache: new SnapshotCache(), port: 0 };
    await assertRejects(
      () => serve({ ...options, tls: { ...pair, ...tls } }),
      TlsError,
      message,
    );
  });
}
