/**
 * Counts what a machine's speed has no part in, over a server without sockets, and fails when one of the counts has
 * grown beyond what guard.json says. `UPDATE=1` writes the file anew.
 */
import { assert } from "@std/assert";
import {
  createSnapshot,
  LinearCache,
  type Protocol,
  SnapshotCache,
  TypeUrl,
} from "../../mod.ts";
import { Calls } from "./_counts.ts";
import { type InProcessClient, InProcessServer } from "./_in_process.ts";
import { messages } from "./_resources.ts";

type Counts = Record<string, number>;

const STREAMS = 100;
const node = { id: "node" };
const file = new URL("guard.json", import.meta.url);
const update = Deno.env.get("UPDATE") === "1";

/** How much of a count may come on top: calls of any function change with every line of code. */
const slack: Counts = { calls: 0.15 };

/** What is counted of a scenario's last step; all before it prepares. */
interface Scene {
  server: InProcessServer;
  clients: InProcessClient[];
  /** The step that is counted. */
  step: () => void;
}

function wildcards(
  server: InProcessServer,
  protocol: Protocol,
): InProcessClient[] {
  return Array.from({ length: STREAMS }, () => {
    const client = server.open(protocol);
    client.subscribe({ node, typeUrl: TypeUrl.Cluster });
    client.settle();
    return client;
  });
}

function settle(clients: readonly InProcessClient[]) {
  for (const client of clients) client.settle();
}

/** A cache of twenty clusters, and what sets them anew. */
function twentyClusters() {
  const cache = new SnapshotCache();
  const set = (revision: number) => {
    const resources = messages("Cluster", 0, 20, revision);
    cache.set("node", createSnapshot({ resources }));
  };
  set(1);
  return { cache, set };
}

function fanOut(protocol: Protocol): Scene {
  const { cache, set } = twentyClusters();
  const server = new InProcessServer(cache);
  const clients = wildcards(server, protocol);
  const step = () => {
    set(2);
    settle(clients);
  };
  return { server, clients, step };
}

function smallChange(protocol: Protocol): Scene {
  const cache = new SnapshotCache();
  const resources = messages("Cluster", 0, 1_000, 1);
  cache.set("node", createSnapshot({ resources }));
  const server = new InProcessServer(cache);
  const clients = wildcards(server, protocol);
  const step = () => {
    const set = messages("Cluster", 7, 1, 2);
    cache.set("node", cache.get("node")!.with({ set }));
    settle(clients);
  };
  return { server, clients, step };
}

function linear(protocol: Protocol, changed: number): Scene {
  const type = "ClusterLoadAssignment";
  const typeUrl = TypeUrl[type];
  const resources = messages(type, 0, STREAMS * 10, 1);
  const cache = new LinearCache(typeUrl, { resources });
  const server = new InProcessServer(cache);
  const all = [...cache.names()];
  const clients = Array.from({ length: STREAMS }, (_, i) => {
    const client = server.open(protocol);
    const names = all.slice(i * 10, i * 10 + 10);
    client.subscribe({ node, typeUrl, names });
    client.settle();
    return client;
  });
  const step = () => {
    cache.update({ set: messages(type, changed, 1, 2) });
    settle(clients);
  };
  return { server, clients, step };
}

function reconnect(protocol: Protocol): Scene {
  const { cache } = twentyClusters();
  const server = new InProcessServer(cache);
  const snapshot = cache.get("node")!;
  const version = snapshot.version(TypeUrl.Cluster);
  const versions = Object.fromEntries(
    [...snapshot.resources(TypeUrl.Cluster).values()].map((resource) => [
      resource.name,
      resource.version,
    ]),
  );
  const clients: InProcessClient[] = [];
  const step = () => {
    for (let i = 0; i < STREAMS; i++) {
      const client = server.open(protocol);
      const typeUrl = TypeUrl.Cluster;
      client.subscribe({ node, typeUrl, version, versions });
      client.settle();
    }
  };
  return { server, clients, step };
}

function leaving(protocol: Protocol): Scene {
  const { cache } = twentyClusters();
  const server = new InProcessServer(cache);
  const clients = wildcards(server, protocol);
  const step = () => {
    for (const client of clients) client.leave();
  };
  return { server, clients, step };
}

function churn(protocol: Protocol): Scene {
  const { cache, set } = twentyClusters();
  const server = new InProcessServer(cache);
  const clients = wildcards(server, protocol);
  const step = () => {
    // Read and not answered, so that all that follows has to merge into one.
    for (let revision = 2; revision <= 11; revision++) {
      set(revision);
      for (const client of clients) client.read();
    }
  };
  return { server, clients, step };
}

const scenes: Record<string, (protocol: Protocol) => Scene> = {
  "fan-out, 20 clusters anew": fanOut,
  "small change, 1 of 1000 clusters": smallChange,
  "linear, a change that concerns none": (protocol) =>
    linear(protocol, STREAMS * 10),
  "linear, a change that concerns one": (protocol) => linear(protocol, 7),
  "connecting with all versions held": reconnect,
  "clients that leave": leaving,
  "churn, 10 changes unanswered": churn,
};

/** What is counted by the functions that do it. A watch is visited in the cache, and in the protocol. */
const counted: Record<string, readonly string[]> = {
  responsesEncoded: ["encodeSotwResponse", "encodeDeltaResponse"],
  resourcesEncoded: ["encodeCanonical"],
  hashes: ["hash64"],
  watchesVisited: ["offer"],
};

/** Functions that any scenario has called. */
const called = new Set<string>();

async function count(scene: Scene, calls: Calls): Promise<Counts> {
  const { server } = scene;
  server.responses = 0;
  server.frames.clear();
  for (const name of (await calls.take()).keys()) called.add(name);
  scene.step();
  const counts = await calls.take();
  const frames = [...server.frames];
  const result: Counts = {
    responses: server.responses,
    bytesEncoded: sum(frames.map((frame) => frame.length)),
  };
  for (const [what, names] of Object.entries(counted)) {
    result[what] = sum(names.map((name) => counts.get(name) ?? 0));
  }
  return { ...result, calls: sum(counts.values()) };
}

function sum(values: Iterable<number>): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}

const recorded: Record<string, Counts> = JSON.parse(
  await Deno.readTextFile(file).catch(() => "{}"),
);

for (const [name, make] of Object.entries(scenes)) {
  for (const protocol of ["sotw", "delta"] as const) {
    const key = `${name}, ${protocol}`;
    Deno.test(`what it takes has not grown: ${key}`, async () => {
      using calls = await Calls.start();
      // Once for whatever is found out but once, as how to encode a type.
      make(protocol).step();
      const counts = await count(make(protocol), calls);
      if (update) {
        recorded[key] = counts;
        const text = JSON.stringify(recorded, null, 2) + "\n";
        await Deno.writeTextFile(file, text);
        return;
      }
      const before = recorded[key];
      assert(before, `guard.json has no counts of it: write them, UPDATE=1`);
      for (const [what, now] of Object.entries(counts)) {
        const most = Math.ceil(before[what] * (1 + (slack[what] ?? 0)));
        assert(
          now <= most,
          `${what}: ${now}, and ${before[what]} when guard.json was written`,
        );
      }
    });
  }
}

Deno.test("what is counted is there to be counted", () => {
  for (const name of Object.values(counted).flat()) {
    assert(called.has(name), `no function of lib/ is named ${name} any more`);
  }
});
