import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
} from "@xds/envoy/envoy/service/discovery/v3";
import {
  createResource,
  createSnapshot,
  serve,
  SnapshotCache,
  TypeUrl,
  type XdsServer,
} from "../../mod.ts";
import { cluster } from "../support/resources.ts";
import { until } from "../support/until.ts";
import { type ConnectOptions, Http2Client } from "./_http2_client.ts";

const ADS =
  "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources";
const node = { id: "node" };
const typeUrl = TypeUrl.Cluster;
/** So large that a response does not fit into a socket's buffers. */
const CLUSTERS = 10;
const CLUSTER_BYTES = 50_000;

function clusterOf(index: number, revision: number) {
  const altStatName = `revision-${revision}-`.padEnd(CLUSTER_BYTES, ".");
  return cluster(`cluster-${index}`, "ads", { altStatName });
}

/** More versions than a server keeps the newest response of in mind. */
const RECALLED = 260;

/** The bytes of a request for all clusters, or of one that accepts a response. */
export function request(version = "", nonce = ""): Uint8Array {
  const fields = { node, typeUrl, versionInfo: version, responseNonce: nonce };
  return toBinary(
    DiscoveryRequestSchema,
    create(DiscoveryRequestSchema, fields),
  );
}

/** A real server of many clusters, and an honest client that has a connection of its own. */
export class ServerScene {
  readonly #cache = new SnapshotCache();
  readonly #server: XdsServer;
  readonly #others = Array.from(
    { length: CLUSTERS - 1 },
    (_, index) => createResource(clusterOf(1 + index, 0)),
  );
  #honest!: Http2Client;
  #version = "";
  #arrived: () => void = () => {};
  #revision = 0;

  private constructor(cache: SnapshotCache, server: XdsServer) {
    this.#cache = cache;
    this.#server = server;
  }

  static async start(): Promise<ServerScene> {
    const cache = new SnapshotCache();
    const server = await serve({
      cache,
      hostname: "127.0.0.1",
      port: 0,
      // Those that never read answer no ping either, and are to stay for as long as a soak takes.
      limits: { keepalive: { interval: Infinity } },
    });
    const scene = new ServerScene(cache, server);
    scene.set();
    await scene.#beHonest();
    for (let i = 0; i < RECALLED; i++) await scene.change();
    return scene;
  }

  /** Connects as a client that need not be honest. */
  connect(options?: ConnectOptions): Promise<Http2Client> {
    return Http2Client.connect(this.#server.addr.port, options);
  }

  /** Opens a stream and asks for everything. */
  subscribe(client: Http2Client): number {
    const stream = client.open(ADS);
    client.send(stream, request());
    return stream;
  }

  /** Sets another revision of one cluster. */
  set() {
    // Anew, so that nothing is noted of what has changed, which takes memory up to a point.
    const resources = [...this.#others, clusterOf(0, ++this.#revision)];
    this.#cache.set(node.id, createSnapshot({ resources }));
  }

  /** Changes a cluster, and returns how many milliseconds passed until the honest client had it. */
  async change(): Promise<number> {
    const start = performance.now();
    this.set();
    await this.#arrive();
    return performance.now() - start;
  }

  /** How many streams ask for something. */
  get streams(): number {
    return this.#cache.status(node.id).length;
  }

  /** Waits until so many streams are left, the honest client's included. */
  async rest(streams: number) {
    await until(`${streams} streams`, () => this.streams === streams);
  }

  async #beHonest() {
    this.#honest = await this.connect({
      onMessage: (stream, message) => {
        const response = fromBinary(DiscoveryResponseSchema, message);
        this.#version = response.versionInfo;
        const accepted = request(response.versionInfo, response.nonce);
        this.#honest.send(stream, accepted);
        this.#arrived();
      },
    });
    this.subscribe(this.#honest);
    await this.#arrive();
  }

  async #arrive() {
    const newest = this.#cache.get(node.id)!.version(typeUrl);
    let late: Error | undefined;
    const timer = setTimeout(() => {
      late = new Error("the honest client has not got it within 10 s");
      this.#arrived();
    }, 10_000);
    while (this.#version !== newest && !late) {
      await new Promise<void>((resolve) => this.#arrived = resolve);
    }
    clearTimeout(timer);
    if (late) throw late;
  }
}
