/** What asking for the status of clients can cost, and give away, is bounded. */
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { NodeSchema } from "@xds/envoy/envoy/config/core/v3";
import { ClientStatusDiscoveryService } from "@xds/envoy/envoy/service/status/v3";
import {
  clientStatusRoutes,
  type InspectedStream,
} from "../../lib/server/csds.ts";
import { withoutContent } from "../../lib/server/_secrets.ts";
import { Queue } from "../../lib/server/_status_queue.ts";
import { createSnapshot, serve, SnapshotCache, TypeUrl } from "../../mod.ts";
import { createConnectRouter } from "@connectrpc/connect";
import { GrpcClient } from "../support/grpc_client.ts";
import { certificate } from "../support/resources.ts";
import { pem } from "../support/certs.ts";
import { until } from "../support/until.ts";

const node = { id: "node" };

async function scene() {
  const cache = new SnapshotCache();
  const server = await serve({
    cache,
    hostname: "127.0.0.1",
    port: 0,
    csds: true,
  });
  const { port } = server.addr;
  const status = createClient(
    ClientStatusDiscoveryService,
    createGrpcTransport({
      baseUrl: `http://127.0.0.1:${port}`,
      idleConnectionTimeoutMs: 50,
    }),
  );
  return {
    cache,
    port,
    status,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

const exact = (value: string) => ({
  matchPattern: { case: "exact" as const, value },
});

Deno.test("a regular expression is UNIMPLEMENTED, whatever it would take", async () => {
  await using at = await scene();
  const regex = "(a+)+b";
  const matchPattern = { case: "safeRegex" as const, value: { regex } };
  const error = await assertRejects(
    () =>
      at.status.fetchClientStatus({
        nodeMatchers: [{ nodeId: { matchPattern } }],
      }),
    ConnectError,
    "safe_regex is not supported: use exact, prefix, suffix or contains",
  );
  assertEquals(error.code, Code.Unimplemented);
});

Deno.test("matchers are limited, those in others included, and so are their texts", async () => {
  await using at = await scene();
  const refused = async (nodeMatchers: object[]) => {
    const error = await assertRejects(
      () => at.status.fetchClientStatus({ nodeMatchers }),
      ConnectError,
    );
    assertEquals(error.code, Code.InvalidArgument);
    return error.rawMessage;
  };
  const many = Array.from({ length: 101 }, () => ({ nodeId: exact("a") }));
  assertEquals(await refused(many), "a request has more than 100 matchers");
  const valueMatchers = Array.from({ length: 101 }, () => ({
    matchPattern: { case: "presentMatch" as const, value: true },
  }));
  const value = {
    matchPattern: { case: "orMatch" as const, value: { valueMatchers } },
  };
  assertEquals(
    await refused([{ nodeMetadatas: [{ path: [], value }] }]),
    "a request has more than 100 matchers",
  );
  assertEquals(
    await refused([{ nodeId: exact("a".repeat(1_025)) }]),
    "a string matcher has 1025 characters, and may have 1024",
  );
});

/** Streams with so many resources each. */
function streams(count: number, resources: number): InspectedStream[] {
  const client = {
    id: 1,
    node: create(NodeSchema, node),
    peer: { hostname: "", port: 0, certificate: undefined },
    identity: undefined,
  };
  return Array.from({ length: count }, () => ({
    client,
    *inspect() {
      for (let i = 0; i < resources; i++) {
        yield {
          typeUrl: TypeUrl.Cluster,
          name: `cluster-${i}`,
          state: { state: "unsent" } as ReturnType<
            InspectedStream["inspect"]
          > extends Iterable<{ state: infer State }> ? State : never,
          sentAt: undefined,
        };
      }
    },
  }));
}

/** Asks for the status of streams, without a network. */
async function ask(of: Iterable<InspectedStream>) {
  const router = createConnectRouter();
  clientStatusRoutes(true)(router, of);
  const handler = router.handlers.find(({ method }) =>
    method.name === "FetchClientStatus"
  )!;
  async function* body() {
    yield new TextEncoder().encode("{}");
  }
  const response = await handler({
    httpVersion: "2.0",
    method: "POST",
    url: `http://localhost${handler.requestPath}`,
    header: new Headers({ "content-type": "application/json" }),
    body: body(),
    signal: new AbortController().signal,
    contextValues: undefined!,
  });
  const parts = [];
  for await (const part of response.body ?? []) parts.push(part);
  return {
    status: response.status,
    text: new TextDecoder().decode(parts[0] as Uint8Array<ArrayBuffer>),
  };
}

Deno.test("an answer that would be too large is refused before it is made, and the error says what to ask for", async () => {
  const { status, text } = await ask(streams(500, 1_000));
  assertEquals(status, 429);
  assertEquals(JSON.parse(text).code, "resource_exhausted");
  assert(text.includes("node_matchers"), text);
});

Deno.test("while an answer is made, others have their turn", async () => {
  let longest = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  }, 1);
  // Nobody of them is meant, so that all of it is looking.
  const slow = streams(20_000, 1).map((stream) => ({
    client: stream.client,
    inspect() {
      const end = performance.now() + 0.02;
      while (performance.now() < end);
      return [];
    },
  }));
  await ask(slow);
  clearInterval(timer);
  assert(longest < 150, `${longest} ms`);
});

Deno.test("requests for the status wait for each other, and no more than a few of them", async () => {
  const queue = new Queue();
  const order: number[] = [];
  const first = Promise.withResolvers<void>();
  const tasks = Array.from({ length: 16 }, (_, i) =>
    queue.run(async () => {
      order.push(i);
      if (i === 0) await first.promise;
      if (i === 1) throw new Error("one");
    }));
  await assertRejects(() => queue.run(() => Promise.resolve()), ConnectError);
  await Promise.resolve();
  assertEquals(order, [0]);
  first.resolve();
  await Promise.allSettled(tasks);
  assertEquals(order, Array.from({ length: 16 }, (_, i) => i));
  await queue.run(() => Promise.resolve());
});

Deno.test("what a client quotes of a secret that it refuses is told to nobody", async () => {
  await using at = await scene();
  const key = pem("server.key");
  const secret = certificate("web-cert", pem("server.pem"), key);
  at.cache.set("node", createSnapshot({ resources: [secret] }));
  using client = new GrpcClient(at.port);
  const stream = client.delta();
  const typeUrl = TypeUrl.Secret;
  stream.send({ node, typeUrl, resourceNamesSubscribe: ["web-cert"] });
  const { nonce } = await stream.next();
  const quoted = key.split("\n")[3];
  stream.send({
    typeUrl,
    responseNonce: nonce,
    errorDetail: {
      code: 13,
      message: `web-cert: cannot use ${quoted} as a key`,
    },
  });
  const details = await until("the refusal", async () => {
    const { config } = await at.status.fetchClientStatus({});
    return config[0]?.genericXdsConfigs[0]?.errorState?.details;
  });
  stream.cancel();
  assertEquals(details, "web-cert: cannot use [redacted] as a key");
});

Deno.test("a secret is not quoted in part, nor where it is not known", () => {
  const content = new TextEncoder().encode(
    "\x01name-of-it\x02correct horse battery",
  );
  const without = (text: string) => withoutContent(text, "name-of-it", content);
  assertEquals(without("name-of-it is wrong"), "name-of-it is wrong");
  assertEquals(without("bad: correct horse!"), "bad: [redacted]!");
  assertEquals(without("correct horse battery"), "[redacted]");
  assertEquals(without("a correc"), "a correc");
  assertEquals(withoutContent("anything", "a", undefined), "[redacted]");
});
