import { assertEquals, assertRejects } from "@std/assert";
import {
  createSnapshot,
  logObserver,
  type LogRecord,
  serve,
  type ServerEvent,
  SnapshotCache,
  type SnapshotCacheOptions,
  TypeUrl,
} from "../../mod.ts";
import { FakeClock } from "../support/clock.ts";
import { GrpcClient } from "../support/grpc_client.ts";
import { cluster, endpoints, routes } from "../support/resources.ts";
import { until } from "../support/until.ts";

const { Cluster, ClusterLoadAssignment, RouteConfiguration } = TypeUrl;

/** A server whose log is kept, as far as it is of what waits. */
async function scene(options: SnapshotCacheOptions, stallAfter?: number) {
  const clock = new FakeClock();
  const log: LogRecord[] = [];
  const events: ServerEvent[] = [];
  const cache = new SnapshotCache({ ads: true, ...options });
  const kinds = ["hold", "wait", "stall", "resume"];
  const server = await serve({
    cache,
    hostname: "127.0.0.1",
    port: 0,
    clock,
    stallAfter,
    observer: [
      (event) => kinds.includes(event.kind) && events.push(event),
      logObserver((record) => kinds.includes(record.event) && log.push(record)),
    ],
  });
  const heard = () =>
    log.splice(0).map(({ level, message }) => `${level}: ${message}`);
  return { cache, clock, events, heard, server };
}

Deno.test("a hold that goes on is told of again with its names, and ever less often", async () => {
  const { cache, clock, events, heard, server } = await scene({}, 1_000);
  await using _server = server;
  cache.set(
    "edge",
    createSnapshot({
      resources: [cluster("a", "ads"), endpoints("a", 1), endpoints("b", 1)],
    }),
  );
  using grpc = new GrpcClient(server.addr.port);
  const stream = grpc.sotw();
  stream.send({ node: { id: "edge" }, typeUrl: Cluster });
  await stream.next();
  stream.send({ typeUrl: ClusterLoadAssignment, resourceNames: ["b"] });
  await until("a hold", () => events.length > 0);
  clock.advance(8_500);
  const stalls = events.filter((event) => event.kind === "stall");
  assertEquals(
    stalls.map(({ duration }) => duration),
    [1_000, 2_000, 4_000, 8_000],
  );
  const [{ event, client, typeUrl }] = stalls;
  assertEquals(event.kind === "hold" && [...event.waitingFor], ["a"]);
  assertEquals([client.node.id, typeUrl], ["edge", ClusterLoadAssignment]);
  const text =
    '"edge" is not sent ClusterLoadAssignment until it asks for some more names';
  assertEquals(heard().slice(0, 2), [
    `debug: ${text}`,
    `warn: ${text}, for 1000 ms now`,
  ]);
  stream.send({ typeUrl: ClusterLoadAssignment, resourceNames: ["a", "b"] });
  await stream.next();
  assertEquals(
    heard().at(-1),
    'debug: "edge" waits for nothing of ClusterLoadAssignment any longer',
  );
  assertEquals(events.at(-1)?.kind, "resume");
  const { length } = events;
  clock.advance(100_000);
  assertEquals(events.length, length);
});

Deno.test("what is held for one node is not for another that the client turns out to be", async () => {
  const { cache, clock, events, server } = await scene({}, 1_000);
  await using _server = server;
  cache.set(
    "edge",
    createSnapshot({ resources: [cluster("a", "ads"), endpoints("a", 1)] }),
  );
  using grpc = new GrpcClient(server.addr.port);
  const stream = grpc.delta();
  stream.send({ node: { id: "edge" }, typeUrl: Cluster });
  await stream.next();
  stream.send({
    typeUrl: ClusterLoadAssignment,
    resourceNamesSubscribe: ["b"],
  });
  await until("a hold", () => events.length > 0);
  // Of this one there is nothing to say, and so nothing that could be held.
  stream.send({ node: { id: "unknown" }, typeUrl: ClusterLoadAssignment });
  await until("its end", () => events.length > 1);
  clock.advance(10_000);
  assertEquals(events.map(({ kind }) => kind), ["hold", "resume"]);
});

Deno.test("a wait for something that was refused goes on, and ends when that is replaced", async () => {
  const { cache, clock, events, heard, server } = await scene({}, 1_000);
  await using _server = server;
  cache.set(
    "edge",
    createSnapshot({ resources: [cluster("a", "ads"), routes("r", "a")] }),
  );
  using grpc = new GrpcClient(server.addr.port);
  const stream = grpc.delta();
  const answer = async (message?: string) => {
    const { typeUrl, nonce } = await stream.next();
    const errorDetail = message === undefined ? {} : {
      errorDetail: { code: 3, message },
    };
    stream.send({ typeUrl, responseNonce: nonce, ...errorDetail });
  };
  stream.send({ node: { id: "edge" }, typeUrl: Cluster });
  await answer();
  stream.send({
    typeUrl: RouteConfiguration,
    resourceNamesSubscribe: ["r"],
  });
  await answer();
  await cache.settled("edge");
  cache.set(
    "edge",
    createSnapshot({ resources: [cluster("b", "ads"), routes("r", "b")] }),
  );
  await answer("b is bad");
  assertEquals((await cache.settled("edge")).accepted, false);
  await until(
    "the waits",
    () =>
      events.some((event) =>
        event.kind === "wait" && event.waitingFor[0]?.refusal
      ),
  );
  clock.advance(1_000);
  assertEquals(
    heard().filter((line) => line.includes("ms now")).toSorted(),
    [
      'warn: "edge" is not sent some RouteConfiguration until it has acknowledged Cluster, for 1000 ms now',
      'warn: "edge" keeps some Cluster until it has acknowledged RouteConfiguration, for 1000 ms now',
    ],
  );
  cache.set(
    "edge",
    createSnapshot({ resources: [cluster("c", "ads"), routes("r", "c")] }),
  );
  await answer();
  await answer();
  await answer();
  assertEquals((await cache.settled("edge")).accepted, true);
  await until(
    "both to go on",
    () => events.filter(({ kind }) => kind === "resume").length >= 2,
  );
  assertEquals(clock.pending, 0);
});

Deno.test("time that is given to requests under way is no stall", async () => {
  const { cache, clock, events, server } = await scene({ drain: 50 }, 10);
  await using _server = server;
  const resources = [cluster("a", "ads"), routes("r", "a")];
  cache.set("edge", createSnapshot({ resources }));
  using grpc = new GrpcClient(server.addr.port);
  const stream = grpc.sotw();
  const answer = async () => {
    const { typeUrl, nonce, versionInfo } = await stream.next();
    stream.send({ typeUrl, responseNonce: nonce, versionInfo });
  };
  stream.send({ node: { id: "edge" }, typeUrl: Cluster });
  await answer();
  await cache.settled("edge");
  cache.set("edge", createSnapshot({ resources: [] }));
  await until(
    "the drain",
    () =>
      events.some((event) =>
        event.kind === "wait" && event.waitingFor.length === 0
      ),
  );
  clock.advance(1_000);
  await answer();
  await cache.settled("edge");
  assertEquals(events.filter(({ kind }) => kind === "stall"), []);
});

Deno.test("a time that is none is refused, and Infinity tells of none", async () => {
  for (const stallAfter of [0, -1, NaN]) {
    await assertRejects(
      () =>
        serve({
          cache: new SnapshotCache(),
          hostname: "127.0.0.1",
          port: 0,
          stallAfter,
        }),
      RangeError,
      `stallAfter is ${stallAfter}`,
    );
  }
  const { cache, clock, events, server } = await scene({}, Infinity);
  await using _server = server;
  cache.set(
    "edge",
    createSnapshot({ resources: [cluster("a", "ads"), endpoints("a", 1)] }),
  );
  using grpc = new GrpcClient(server.addr.port);
  const stream = grpc.sotw();
  stream.send({ node: { id: "edge" }, typeUrl: Cluster });
  await stream.next();
  stream.send({ typeUrl: ClusterLoadAssignment, resourceNames: ["b"] });
  await until("a hold", () => events.length > 0);
  clock.advance(1e9);
  stream.send({ typeUrl: ClusterLoadAssignment, resourceNames: ["a"] });
  await stream.next();
  assertEquals(events.map(({ kind }) => kind), ["hold", "resume"]);
});
