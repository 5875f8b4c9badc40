import { create } from "@bufbuild/protobuf";
import { assert, assertEquals } from "@std/assert";
import { ClusterSchema } from "@xds/envoy/envoy/config/cluster/v3";
import {
  createSnapshot,
  logObserver,
  type LogObserverOptions,
  type LogRecord,
  RequestError,
  serve,
  SnapshotCache,
  TypeUrl,
} from "../../mod.ts";
import { pem } from "../support/certs.ts";
import { GrpcClient } from "../support/grpc_client.ts";
import { certificate } from "../support/resources.ts";
import { until } from "../support/until.ts";

const node = { id: "node", cluster: "fleet", metadata: { password: "meta" } };
const TOKEN = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJlZGdlIn0.c2lnbmF0dXJl";
const OPAQUE = "0123456789abcdef0123";

/** A server whose client refuses all that it is sent with the same message, and the records of it. */
async function refusing(
  message: string,
  typeUrl: string,
  options?: LogObserverOptions,
): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  const cache = new SnapshotCache();
  const secret = certificate("key", pem("client.pem"), pem("client.key"));
  const cluster = create(ClusterSchema, { name: "a" });
  cache.set(
    "node",
    createSnapshot({ version: "1", resources: [cluster, secret] }),
  );
  await using server = await serve({
    cache,
    hostname: "127.0.0.1",
    port: 0,
    authenticate: (_peer, headers) => ({
      token: headers.get("authorization"),
    }),
    observer: logObserver((record) => records.push(record), options),
  });
  using client = new GrpcClient(server.addr.port, undefined, {
    authorization: `Bearer ${OPAQUE}`,
  });
  const stream = client.sotw();
  const resourceNames = typeUrl === TypeUrl.Secret ? ["key"] : [];
  stream.send({ node, typeUrl, resourceNames });
  const { nonce } = await stream.next();
  stream.send({
    typeUrl,
    resourceNames,
    responseNonce: nonce,
    errorDetail: { code: 3, message },
  });
  await until("a NACK", () => records.some(({ event }) => event === "nack"));
  stream.end();
  await stream.status;
  return records;
}

Deno.test("each event makes one record, plain data with documented fields", async () => {
  const records = await refusing("a is bad", TypeUrl.Cluster);
  assertEquals(records, JSON.parse(JSON.stringify(records)));
  assertEquals(records.map(({ event, level }) => [event, level]), [
    ["open", "info"],
    ["request", "debug"],
    ["node", "info"],
    ["subscribe", "debug"],
    ["send", "debug"],
    ["request", "debug"],
    ["nack", "warn"],
    ["close", "info"],
  ]);
  const { stream, peer, latency, nonce, ...nack } = records[6];
  assertEquals(nack, {
    level: "warn",
    message: '"node" refused Cluster: "a is bad"',
    event: "nack",
    protocol: "sotw",
    node: "node",
    cluster: "fleet",
    type: TypeUrl.Cluster,
    names: ["a"],
    nameCount: 1,
    version: "1",
    error: "a is bad",
  });
  assert(stream! > 0 && latency! > 0 && Number(nonce) > 0);
  assert(/^127\.0\.0\.1:\d+$/.test(peer!));
  assertEquals(records[7].status, "OK");
  assert(records[7].duration! >= latency!);
  assertEquals(records.filter(({ stream: other }) => other !== stream), []);
});

const key = pem("client.key");
const quoted: [what: string, message: string, kept: string][] = [
  ["a private key", `bad key: ${key} at b`, "bad key: [redacted]\n at b"],
  [
    "a key that is cut off",
    `bad key: ${key.slice(0, 80)}`,
    "bad key: [redacted]",
  ],
  [
    "an escaped key",
    `bad: ${key.replaceAll("\n", "\\n")}`,
    "bad: [redacted]\\n",
  ],
  [
    "inline data",
    'password { inline_string: "hun\\"ter2" } name: "x"',
    'password { inline_string: [redacted] } name: "x"',
  ],
  [
    "inline data in JSON",
    '{"inlineBytes": "aHVudGVyMg=="}',
    '{"inlineBytes": [redacted]}',
  ],
  [
    "a bearer token",
    `header Bearer ${OPAQUE} no`,
    "header Bearer [redacted] no",
  ],
  ["a JSON Web Token", `token ${TOKEN}, no`, "token [redacted], no"],
];

Deno.test("what a client quotes of secrets is in no record", async (t) => {
  for (const [what, message, kept] of quoted) {
    await t.step(what, async () => {
      const records = await refusing(message, TypeUrl.Cluster);
      const errors = records.flatMap(({ error }) => error ?? []);
      // The request, and what it means.
      assertEquals(errors, [kept, kept]);
    });
  }
});

Deno.test("of a secret's NACK nothing is logged but that there was one", async () => {
  const message = `the key of "key" is hunter2: ${key}`;
  const records = await refusing(message, TypeUrl.Secret);
  const text = JSON.stringify(records);
  for (const secret of ["hunter2", "BEGIN", OPAQUE, "meta"]) {
    assert(!text.includes(secret), secret);
  }
  const nack = records.find(({ event }) => event === "nack")!;
  assertEquals([nack.error, nack.names], ["[redacted]", ["key"]]);
  assertEquals(nack.message, '"node" refused Secret: "[redacted]"');

  const isSecret = (typeUrl: string) => typeUrl === TypeUrl.Cluster;
  const others = await refusing("hunter2", TypeUrl.Cluster, { isSecret });
  assert(!JSON.stringify(others).includes("hunter2"));
});

Deno.test("neither headers nor what their check threw are in a record", async () => {
  const records: LogRecord[] = [];
  await using server = await serve({
    cache: new SnapshotCache(),
    hostname: "127.0.0.1",
    port: 0,
    authenticate: (_peer, headers) => {
      const token = headers.get("authorization");
      if (headers.has("blunt")) {
        throw new RequestError("unauthenticated", `not with ${token}`);
      }
      throw new TypeError(`cannot parse ${token?.slice(7)}`);
    },
    observer: logObserver((record) => records.push(record)),
  });
  const authorization = `Bearer ${OPAQUE}`;
  for (const more of [[], [["blunt", "1"]]]) {
    const headers = { authorization, ...Object.fromEntries(more) };
    using client = new GrpcClient(server.addr.port, undefined, headers);
    await client.sotw().status;
  }
  assert(!JSON.stringify(records).includes(OPAQUE));
  const refused = records.filter(({ event }) => event === "refuse");
  assertEquals(
    refused.map(({ level, status, error, cause }) => ({
      level,
      status,
      error,
      cause,
    })),
    [{
      level: "warn",
      status: "UNAUTHENTICATED",
      error:
        "the client is not authenticated: this server asks for a certificate or token that it accepts",
      cause: "TypeError",
    }, {
      level: "warn",
      status: "UNAUTHENTICATED",
      error: "not with Bearer [redacted]",
      cause: "RequestError",
    }],
  );
});

Deno.test("records are made from a level on, and list so many names", async () => {
  const records = await refusing("a is bad", TypeUrl.Cluster, {
    level: "info",
    names: 0,
  });
  assertEquals(records.map(({ event }) => event), [
    "open",
    "node",
    "nack",
    "close",
  ]);
  assertEquals([records[2].names, records[2].nameCount], [[], 1]);
});

Deno.test("what a client says is neither long nor on a line of its own", async () => {
  const records: LogRecord[] = [];
  await using server = await serve({
    cache: new SnapshotCache(),
    hostname: "127.0.0.1",
    port: 0,
    observer: logObserver((record) => records.push(record)),
  });
  using client = new GrpcClient(server.addr.port);
  const stream = client.sotw();
  stream.send({
    node: { id: `x\nlevel=warn ${"x".repeat(10_000)}` },
    typeUrl: TypeUrl.Cluster,
    responseNonce: "n".repeat(1_000),
  });
  await until(
    "a subscription",
    () => records.some(({ event }) => event === "subscribe"),
  );
  stream.cancel();
  for (const record of records) {
    assert(JSON.stringify(record).length < 5_000);
    assert(!record.message.includes("\n"));
  }
});
