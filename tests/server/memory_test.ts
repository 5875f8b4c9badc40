/** What is held on behalf of clients is counted, and who holds too much of it has to go. */
import { create } from "@bufbuild/protobuf";
import { assertEquals, assertLess } from "@std/assert";
import { ClusterSchema } from "@xds/envoy/envoy/config/cluster/v3";
import {
  type MemoryLimits,
  ServerMemory,
  type StreamMemory,
} from "../../lib/server/_memory.ts";
import {
  createSnapshot,
  type LimitName,
  type Limits,
  type ServerEvent,
  TypeUrl,
} from "../../mod.ts";
import { RawClient } from "../http2/_raw_client.ts";
import { END_HEADERS, frame, requestBlock, uint32 } from "../http2/_wire.ts";
import { until } from "../support/until.ts";
import { node, scene } from "./_scene.ts";

const ADS =
  "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources";
const limits: MemoryLimits = {
  streamBytes: 100,
  connectionBytes: 150,
  peerBytes: 200,
  totalBytes: 300,
};

/** Streams by name, each `peer/connection/stream`, and which were ended for what. */
class Streams {
  readonly memory = new ServerMemory(limits);
  readonly ended: string[] = [];
  readonly #connections = new Map<
    string,
    ReturnType<ServerMemory["connection"]>
  >();
  readonly #streams = new Map<string, StreamMemory>();

  hold(name: string, bytes: number) {
    const [peer, connection] = name.split("/");
    const key = `${peer}/${connection}`;
    let of = this.#connections.get(key);
    if (!of) this.#connections.set(key, of = this.memory.connection(peer));
    let stream = this.#streams.get(name);
    if (!stream) {
      stream = of.stream(({ limit }) => this.ended.push(`${name} ${limit}`));
      this.#streams.set(name, stream);
    }
    stream.hold(bytes);
  }

  closeAll() {
    for (const stream of this.#streams.values()) stream.close();
    for (const connection of this.#connections.values()) connection.close();
  }
}

Deno.test("a stream that holds too much ends, and gives all of it back", () => {
  const streams = new Streams();
  streams.hold("p/1/a", 60);
  streams.hold("p/1/a", 41);
  assertEquals(streams.ended, ["p/1/a streamBytes"]);
  assertEquals(streams.memory.used, 0);
  // It may be told of something still.
  streams.hold("p/1/a", 5);
  assertEquals(streams.memory.used, 0);
});

Deno.test("of a connection and of a peer, the stream goes that holds the most", () => {
  const streams = new Streams();
  streams.hold("p/1/a", 90);
  streams.hold("p/1/b", 20);
  streams.hold("p/1/c", 41);
  assertEquals(streams.ended.splice(0), ["p/1/a connectionBytes"]);
  streams.hold("p/2/d", 80);
  streams.hold("p/3/e", 60);
  assertEquals(streams.ended, ["p/2/d peerBytes"]);
  assertEquals(streams.memory.used, 20 + 41 + 60);
});

Deno.test("of all, the peer is at fault that holds the most, and not the one that comes last", () => {
  const streams = new Streams();
  for (const [index, peer] of ["q", "r", "s"].entries()) {
    streams.hold(`${peer}/1/a`, 30 + index);
  }
  streams.hold("p/1/a", 90);
  streams.hold("p/2/b", 95);
  streams.hold("q/1/b", 40);
  assertEquals(streams.ended, ["p/2/b totalBytes"]);
  streams.closeAll();
  assertEquals(streams.memory.used, 0);
});

Deno.test("a response that goes to several is counted once, for as long as one of them has not read it", () => {
  const server = new ServerMemory(limits);
  const { pending } = server;
  const connection = server.connection("p");
  const end = () => {
    throw new Error("nobody is at fault");
  };
  const [a, b] = [connection.stream(end), connection.stream(end)];
  const response = new Uint8Array(40);
  pending.add(response, a);
  pending.add(response, b);
  assertEquals([a.used, b.used, server.used], [40, 0, 40]);
  pending.delete(response, a);
  assertEquals([a.used, b.used, server.used], [0, 40, 40]);
  pending.delete(response, b);
  assertEquals(server.used, 0);
  // However large: it is the server's own.
  pending.add(new Uint8Array(10_000), a);
  assertEquals(a.used, 50);
});

Deno.test("what goes on for a stream whose connection is gone is not counted", () => {
  const server = new ServerMemory(limits);
  const connection = server.connection("p");
  const stream = connection.stream(() => {});
  stream.hold(10);
  connection.close();
  stream.hold(10);
  assertEquals(server.used, 0);
  stream.close();
  assertEquals(server.used, 0);
});

function open(id: number): Uint8Array {
  const block = requestBlock([
    [":path", ADS],
    ["content-type", "application/grpc"],
    ["te", "trailers"],
  ]);
  return frame("HEADERS", END_HEADERS, id, block);
}

/** The limits that were told of, each once. */
function reached(events: readonly ServerEvent[]): LimitName[] {
  const names = events.filter((event) => event.kind === "limit")
    .map(({ limit }) => limit);
  return [...new Set(names)];
}

/** The beginning of a message of a mebibyte. */
const begun = [0, ...uint32(1 << 20), ...new Array(16_000).fill(0)];

const cases: [limit: keyof Limits, limits: Limits, streams: number][] = [
  ["streamBytes", { streamBytes: 20_000 }, 1],
  ["connectionBytes", { connectionBytes: 200_000 }, 20],
  ["peerBytes", { peerBytes: 200_000 }, 20],
  ["totalBytes", { totalBytes: 200_000, peerBytes: 1_000_000 }, 20],
];

for (const [limit, limits, streams] of cases) {
  Deno.test(`parts of messages are held up to ${limit}`, async () => {
    await using at = await scene({ limits });
    using client = new RawClient(at.port);
    const ids = Array.from({ length: streams }, (_, i) => 2 * i + 1);
    client.begin();
    for (const id of ids) {
      client.send(open(id), frame("DATA", 0, id, begun));
      if (limit === "streamBytes") {
        client.send(frame("DATA", 0, id, begun.slice(5)));
      }
    }
    await until("a limit", () => reached(at.events).length > 0);
    assertEquals(reached(at.events), [limit]);
    const ended = () => at.events.filter(({ kind }) => kind === "close").length;
    assertLess(0, ended());
    if (streams > 1) assertLess(ended(), streams);
  });
}

Deno.test("nothing is lost of a message that comes in many parts, however slowly it is read", async () => {
  await using at = await scene();
  const stream = at.client.sotw();
  const names = Array.from({ length: 20_000 }, (_, i) => `cluster-${i}`);
  stream.send({ node, typeUrl: TypeUrl.Cluster, resourceNames: names });
  at.cache.set(
    "node",
    createSnapshot({
      resources: ["a", "cluster-7"].map((name) =>
        create(ClusterSchema, { name })
      ),
    }),
  );
  await until("a response with it", async () => {
    const { resources } = await stream.next();
    return resources.length > 0;
  });
  stream.cancel();
});
