/** What proxyless gRPC clients make of a resource that does not exist, or no longer does. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { create } from "@bufbuild/protobuf";
import { CircuitBreakersSchema } from "@xds/envoy/envoy/config/cluster/v3";
import {
  createResource,
  createSnapshot,
  serve,
  type ServerEvent,
  shortName,
  SnapshotCache,
  TypeUrl,
} from "../../../mod.ts";
import { Backend } from "../_backend.ts";
import {
  GrpcClient,
  type Implementation,
  implementations,
} from "../_client.ts";
import { cluster } from "../../support/resources.ts";
import { apiListener, echo } from "../_resources.ts";

const NODE = "client-1";
const [go, python, javascript, java] = implementations;

/** All that {@linkcode echo} makes, in the order in which a client asks for it. */
const needed = [
  { typeUrl: TypeUrl.Listener, name: "echo" },
  { typeUrl: TypeUrl.RouteConfiguration, name: "echo-routes" },
  { typeUrl: TypeUrl.Cluster, name: "backend-one" },
  { typeUrl: TypeUrl.ClusterLoadAssignment, name: "backend-one" },
];

/**
 * With these, the client reads `resource_errors` (gRFC A88), as those of Go, JavaScript and Java do not yet, and acts upon
 * an error even if it has an older version of the resource.
 */
const dataErrors = {
  env: { GRPC_EXPERIMENTAL_XDS_DATA_ERROR_HANDLING: "true" },
  serverFeatures: ["fail_on_data_errors"],
};

async function start(backend: Backend) {
  const complete = createSnapshot({ resources: echo(backend) });
  // Endpoints that do not exist are an error, rather than empty.
  const cache = new SnapshotCache({ ads: true, emptyEndpoints: false });
  cache.set(NODE, complete);
  const events: ServerEvent[] = [];
  const server = await serve({
    cache,
    hostname: "127.0.0.1",
    port: 0,
    observer: (event) => events.push(event),
  });
  const startClient = (
    implementation: Implementation,
    more: Partial<typeof dataErrors> = {},
  ) =>
    GrpcClient.start(implementation, {
      node: NODE,
      target: "echo",
      server,
      ...more,
    });
  return { complete, cache, events, server, startClient };
}

for (const { typeUrl, name } of needed) {
  const what = shortName(typeUrl);
  Deno.test(`gRPC in Python is told at once of a ${what} that does not exist`, async () => {
    await using backend = await Backend.start("backend-one");
    const { complete, cache, server, startClient } = await start(backend);
    await using _server = server;
    const incomplete = complete.with({ delete: [{ typeUrl, name }] });
    cache.set(NODE, incomplete);
    await using client = await startClient(python, dataErrors);

    // The calls' deadline is beyond the client's own timer of 15 seconds, by which it would say that "it does not exist".
    const problem = `no resource of type ${typeUrl} is named "${name}"`;
    const line = await client.call();
    assertMatch(line, /^UNAVAILABLE /);
    assert(line.includes(problem), line);

    cache.set(NODE, complete);
    await client.answers(backend.name);

    cache.set(NODE, incomplete);
    const reason = await client.failure();
    assert(
      // A listener or cluster is gone when it is left out, of which a client says what it likes.
      reason.includes(problem) || reason.includes("does not exist"),
      reason,
    );
  });
}

/** What replaces a removed resource. It differs: grpc-js and grpc-java do not use again what equals what they had before. */
const successors = [
  () => Object.assign(apiListener("echo", "echo-routes"), { statPrefix: "2" }),
  () => cluster("backend-one", "ads", { circuitBreakers }),
];
const circuitBreakers = create(CircuitBreakersSchema, {
  thresholds: [{ maxRequests: 100 }],
});

for (const implementation of implementations) {
  for (const successor of successors) {
    const resource = createResource(successor());
    const what = shortName(resource.typeUrl);
    Deno.test(`gRPC in ${implementation.name} takes note at once of a ${what} that is removed`, async () => {
      await using backend = await Backend.start("backend-one");
      const { complete, cache, server, startClient } = await start(backend);
      await using _server = server;
      await using client = await startClient(implementation);
      assertEquals(await client.call(), "OK backend-one");

      cache.set(NODE, complete.with({ delete: [resource] }));
      assertMatch(await client.failure(), /^UNAVAILABLE /);

      cache.set(NODE, complete.with({ set: [resource] }));
      await client.answers(backend.name);
    });
  }
}

Deno.test("gRPC that does not read resource_errors takes note of what never existed by a timer of its own", async () => {
  await using backend = await Backend.start("backend-one");
  const { complete, cache, events, server, startClient } = await start(backend);
  await using _server = server;
  const missing = { typeUrl: TypeUrl.Cluster, name: "backend-one" };
  cache.set(NODE, complete.with({ delete: [missing] }));
  // A client cannot tell a response that lacks the cluster from one that left before its request for it arrived, and
  // so takes 15 seconds, which nothing outside of it can shorten; all at once, lest it be three times as long.
  await Promise.all(
    [go, python, javascript, java].map(async (implementation) => {
      await using client = await startClient(implementation);
      assertMatch(await client.call(), /^UNAVAILABLE .*backend-one/);
    }),
  );
  // All were told.
  const answers = events.filter((event) =>
    event.kind === "ack" && event.typeUrl === TypeUrl.Cluster
  );
  assertEquals(answers.length, 4);
});
