import { create } from "@bufbuild/protobuf";
import { ClusterSchema } from "@xds/envoy/envoy/config/cluster/v3";
import {
  createSnapshot,
  serve,
  type ServerEvent,
  SnapshotCache,
  TypeUrl,
} from "../../mod.ts";
import { messages } from "../bench/_resources.ts";
import { GrpcClient } from "../support/grpc_client.ts";

/** What is let loose on a server. */
export interface StormOptions {
  streams: number;
  /** Over how many connections they come. */
  connections: number;
  /** How many streams the server admits in a second. */
  admissionsPerSecond: number;
}

/** What came of it. Times in milliseconds. */
export interface StormResult {
  /** How many streams got their configuration. */
  served: number;
  /** How many were admitted in the second in which most were. */
  mostInASecond: number;
  /** How many were admitted before one that had asked before them. */
  outOfTurn: number;
  /** From the first request to the last response. */
  duration: number;
  /** How late changes were at a client that was connected before, sorted: before the storm, and in it. */
  before: number[];
  during: number[];
}

const INTERVAL = 20;
const typeUrl = TypeUrl.Cluster;

/** Has many clients connect to a server at once, beside one that is connected and follows changes. */
export async function storm(
  { streams, connections, admissionsPerSecond }: StormOptions,
): Promise<StormResult> {
  const cache = new SnapshotCache({ nodeKey: ({ cluster }) => cluster });
  cache.set(
    "fleet",
    createSnapshot({ resources: messages("Cluster", 0, 20, 1) }),
  );
  const asked: number[] = [];
  const admitted: number[] = [];
  const times: number[] = [];
  const known = new Set<number>();
  const observer = (event: ServerEvent) => {
    if (event.kind === "request" && !known.has(event.stream.id)) {
      known.add(event.stream.id);
      if (event.node?.cluster === "fleet") asked.push(event.stream.id);
    } else if (event.kind === "node" && event.client.node.cluster === "fleet") {
      admitted.push(event.stream.id);
      times.push(performance.now());
    }
  };
  await using server = await serve({
    cache,
    hostname: "127.0.0.1",
    port: 0,
    limits: { admissionsPerSecond },
    observer,
  });
  const { port } = server.addr;

  using client = new GrpcClient(port);
  const follower = new Follower(cache, client);
  await follower.follow(() => follower.late.length >= 50);
  const before = follower.take();

  const clients = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--allow-net=127.0.0.1",
      "--allow-env",
      "--allow-read",
      new URL("_clients.ts", import.meta.url).pathname,
      ...[port, streams, connections].map(String),
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const output = clients.stdout.pipeThrough(new TextDecoderStream())
    .getReader();
  let text = "";
  let isOver = false;
  const reading = (async () => {
    while (!text.endsWith("\n")) {
      const { value, done } = await output.read();
      if (done) throw new Error("the clients ended before they were served");
      text += value;
    }
  })().finally(() => isOver = true);
  // What the clients take to start is no part of the storm.
  await follower.follow(() => isOver || asked.length > 0);
  follower.take();
  const begun = Date.now();
  await follower.follow(() => isOver);
  await reading;
  const during = follower.take();
  await clients.stdin.close();
  await output.cancel();
  await clients.status;
  follower.stop();

  const arrivals: number[] = JSON.parse(text);
  const places = new Map(asked.map((id, place) => [id, place]));
  let highest = -1;
  let outOfTurn = 0;
  for (const id of admitted) {
    const place = places.get(id)!;
    if (place < highest) outOfTurn++;
    highest = Math.max(highest, place);
  }
  return {
    served: arrivals.length,
    mostInASecond: mostInASecond(times),
    outOfTurn,
    duration: arrivals.reduce((last, at) => Math.max(last, at), 0) - begun,
    before: before.toSorted((a, b) => a - b),
    during: during.toSorted((a, b) => a - b),
  };
}

/** A client that is connected, and sees how late changes are. */
class Follower {
  late: number[] = [];
  readonly #cache: SnapshotCache;
  readonly #stream: ReturnType<GrpcClient["sotw"]>;
  #changes = 0;

  constructor(cache: SnapshotCache, client: GrpcClient) {
    this.#cache = cache;
    this.#stream = client.sotw();
    const node = { id: "honest", cluster: "honest" };
    this.#stream.send({ node, typeUrl });
  }

  /** Changes something again and again, and takes how long the client does not have it. */
  async follow(isEnough: () => boolean) {
    while (!isEnough()) {
      const altStatName = `change-${++this.#changes}`;
      const cluster = create(ClusterSchema, { name: "a", altStatName });
      const set = performance.now();
      this.#cache.set("honest", createSnapshot({ resources: [cluster] }));
      const { nonce, versionInfo } = await this.#stream.next();
      this.late.push(performance.now() - set);
      this.#stream.send({ typeUrl, responseNonce: nonce, versionInfo });
      await new Promise((resolve) => setTimeout(resolve, INTERVAL));
    }
  }

  /** What it has seen since the last time. */
  take(): number[] {
    const { late } = this;
    this.late = [];
    return late;
  }

  stop() {
    this.#stream.cancel();
  }
}

function mostInASecond(times: readonly number[]): number {
  let first = 0;
  let most = 0;
  for (const [i, at] of times.entries()) {
    while (times[first] <= at - 1_000) first++;
    most = Math.max(most, i - first + 1);
  }
  return most;
}
