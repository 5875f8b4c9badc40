/** Routes move from one cluster to another and back, and clients reach the cluster that they return to. */
import { assertEquals } from "@std/assert";
import {
  createSnapshot,
  serve,
  type ServerEvent,
  SnapshotCache,
  TypeUrl,
} from "../../../mod.ts";
import { routes } from "../../support/resources.ts";
import { until } from "../../support/until.ts";
import { Backend } from "../_backend.ts";
import {
  GrpcClient,
  type Implementation,
  implementations,
} from "../_client.ts";
import { backendCluster, echo, localEndpoints } from "../_resources.ts";

const NODE = "client-1";

/** grpc-java never uses a cluster again that it was told is gone while it subscribes to it; whether it was is a race. */
const REPETITIONS = new Map([["Java", 6]]);

/** Finds the clusters that were removed while a client subscribed to them, in what it was sent and asked for. */
function removedWhileSubscribed(events: readonly ServerEvent[]): string[] {
  let subscribed: ReadonlySet<string> = new Set();
  let held: readonly string[] = [];
  const found: string[] = [];
  for (const event of events) {
    if (!("typeUrl" in event) || event.typeUrl !== TypeUrl.Cluster) continue;
    if (event.kind === "subscribe") subscribed = event.subscription.names;
    if (event.kind !== "send") continue;
    const { names } = event;
    // Clusters are sent in full: those that a response omits are removed.
    found.push(
      ...held.filter((name) => subscribed.has(name) && !names.includes(name)),
    );
    held = names;
  }
  return found;
}

async function movesThereAndBack(implementation: Implementation) {
  await using one = await Backend.start("backend-one");
  await using two = await Backend.start("backend-two");
  await using three = await Backend.start("backend-three");
  const cache = new SnapshotCache({ ads: true });
  cache.set(NODE, createSnapshot({ resources: echo(one) }));
  const events: ServerEvent[] = [];
  await using server = await serve({
    cache,
    hostname: "127.0.0.1",
    port: 0,
    observer: (event) => events.push(event),
  });
  await using client = await GrpcClient.start(implementation, {
    node: NODE,
    target: "echo",
    server,
  });
  const reaches = async (backend: Backend) => {
    const isFailure = (line: string) =>
      !line.startsWith("OK ") && !implementation.ownFailure?.test(line);
    const lines = await client.answers(backend.name);
    assertEquals(lines.filter(isFailure), []);
  };
  const clusters = () =>
    cache.status(NODE)[0].types.find(({ typeUrl }) =>
      typeUrl === TypeUrl.Cluster
    )!.subscription.names;
  await reaches(one);

  const removed = { typeUrl: TypeUrl.Cluster, name: one.name };
  cache.set(
    NODE,
    cache.get(NODE)!.with({
      set: [...backendCluster(two), routes("echo-routes", two.name)],
      delete: [removed, { ...removed, typeUrl: TypeUrl.ClusterLoadAssignment }],
    }),
  );
  await reaches(two);
  await until("the client to unsubscribe from the first cluster", async () => {
    await reaches(two);
    return !clusters().has(one.name);
  });

  // A cluster of the first one's name, with another backend.
  const [cluster] = backendCluster(one);
  cache.set(
    NODE,
    cache.get(NODE)!.with({
      set: [
        cluster,
        localEndpoints(one.name, three),
        routes("echo-routes", one.name),
      ],
      delete: [{ typeUrl: TypeUrl.Cluster, name: two.name }],
    }),
  );
  await reaches(three);
  assertEquals(removedWhileSubscribed(events), []);
  assertEquals(events.filter(({ kind }) => kind === "nack"), []);
}

for (const implementation of implementations) {
  const { name } = implementation;
  const repetitions = REPETITIONS.get(name) ?? 1;
  Deno.test(`gRPC in ${name} follows routes to another cluster and back`, async () => {
    for (let i = 0; i < repetitions; i++) {
      await movesThereAndBack(implementation);
    }
  });
}
