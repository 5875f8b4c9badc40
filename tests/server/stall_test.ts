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
import { hold, holdTimeout } from "../support/hold.ts";
import { cluster, listener, routes } from "../support/resources.ts";
import { until } from "../support/until.ts";

const { Cluster, ClusterLoadAssignment, Listener, RouteConfiguration } =
  TypeUrl;

/** A server whose log is kept, as far as it is of what is blocked. */
async function scene(options: SnapshotCacheOptions, stallAfter?: number) {
  const clock = new FakeClock();
  const log: LogRecord[] = [];
  const events: ServerEvent[] = [];
  const cache = new SnapshotCache({ ads: true, ...options });
  const kinds = ["blocked", "stall", "unblocked"];
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

Deno.test("what is blocked for long is told again with its names, and ever less often", async () => {
  const { cache, clock, events, heard, server } = await scene(
    { holdTimeout },
    1_000,
  );
  await using _server = server;
  using grpc = new GrpcClient(server.addr.port);
  const stream = grpc.delta();
  await hold(cache, stream);
  const { length: before } = await until(
    "a blocked update",
    () => events.at(-1)?.kind === "blocked" && events,
  );
  heard();
  clock.advance(8_500);
  const stalls = events.slice(before).filter((event) => event.kind === "stall");
  assertEquals(
    stalls.map(({ duration }) => duration),
    [1_000, 2_000, 4_000, 8_000],
  );
  const [{ event, client, typeUrl }] = stalls;
  assertEquals([event.reason, event.removal, event.names], [
    "names_not_requested",
    false,
    ["a"],
  ]);
  assertEquals(event.waitingFor, [
    { typeUrl: ClusterLoadAssignment, names: ["b"], refusal: undefined },
  ]);
  assertEquals([client.node.id, typeUrl], ["edge", ClusterLoadAssignment]);
  const text =
    '"edge" is not sent some ClusterLoadAssignment until it requests more of ClusterLoadAssignment';
  assertEquals(heard()[0], `warn: ${text}, for 1000 ms now`);
  stream.send({
    typeUrl: ClusterLoadAssignment,
    resourceNamesSubscribe: ["b"],
  });
  await stream.next();
  assertEquals(
    heard().at(-1),
    'debug: nothing of ClusterLoadAssignment is blocked for "edge"',
  );
  assertEquals(events.at(-1)?.kind, "unblocked");
  const { length } = events;
  clock.advance(100_000);
  assertEquals(events.length, length);
});

Deno.test("what is blocked for one node is not for another that the client turns out to be", async () => {
  const { cache, clock, events, server } = await scene({ holdTimeout }, 1_000);
  await using _server = server;
  using grpc = new GrpcClient(server.addr.port);
  const stream = grpc.delta();
  await hold(cache, stream);
  const { length } = await until(
    "a blocked update",
    () => events.at(-1)?.kind === "blocked" && events,
  );
  // Of this one there is nothing to say, and so nothing that could be blocked.
  stream.send({ node: { id: "unknown" }, typeUrl: ClusterLoadAssignment });
  await until("its end", () => events.length > length);
  clock.advance(10_000);
  assertEquals(events.slice(length).map(({ kind }) => kind), ["unblocked"]);
});

Deno.test("a change that is blocked by a NACK stays so, until what was nacked is replaced", async () => {
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
        event.kind === "blocked" && event.waitingFor[0]?.refusal
      ),
  );
  clock.advance(1_000);
  assertEquals(
    heard().filter((line) => line.includes("ms now")).toSorted(),
    [
      'warn: "edge" is not sent some RouteConfiguration until what it refused of Cluster is replaced, for 1000 ms now',
      'warn: "edge" keeps some Cluster until what it refused of Cluster is replaced, for 1000 ms now',
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
    () => events.filter(({ kind }) => kind === "unblocked").length >= 2,
  );
  assertEquals(clock.pending, 0);
});

Deno.test("time that is given to existing connections is no stall", async () => {
  const { cache, clock, events, server } = await scene({ drain: 50 }, 10);
  await using _server = server;
  const value = routes("r", "a");
  const l = listener("l", { routeSpecifier: { case: "routeConfig", value } });
  cache.set("edge", createSnapshot({ resources: [cluster("a", "ads"), l] }));
  using grpc = new GrpcClient(server.addr.port);
  const stream = grpc.sotw();
  const answer = async () => {
    const { typeUrl, nonce, versionInfo } = await stream.next();
    stream.send({ typeUrl, responseNonce: nonce, versionInfo });
    return typeUrl;
  };
  stream.send({ node: { id: "edge" }, typeUrl: Cluster });
  await answer();
  stream.send({ typeUrl: Listener });
  await answer();
  await cache.settled("edge");
  cache.set("edge", createSnapshot({ resources: [] }));
  assertEquals(await answer(), Listener);
  await until(
    "the drain",
    () =>
      events.some((event) =>
        event.kind === "blocked" && event.reason === "draining" &&
        event.waitingFor.length === 0
      ),
  );
  clock.advance(1_000);
  assertEquals(await answer(), Cluster);
  await cache.settled("edge", { drained: true });
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
  const { cache, clock, events, server } = await scene(
    { holdTimeout },
    Infinity,
  );
  await using _server = server;
  using grpc = new GrpcClient(server.addr.port);
  const stream = grpc.delta();
  await hold(cache, stream);
  await until("a blocked update", () => events.at(-1)?.kind === "blocked");
  clock.advance(1e9);
  stream.send({
    typeUrl: ClusterLoadAssignment,
    resourceNamesSubscribe: ["b"],
  });
  await stream.next();
  assertEquals(events.map(({ kind }) => kind), ["blocked", "unblocked"]);
});
