import type { JsonValue } from "@bufbuild/protobuf";
import {
  serve,
  type Settlement,
  type Snapshot,
  SnapshotCache,
  type SnapshotCacheOptions,
  type XdsServer,
} from "../../mod.ts";
import { bootstrap } from "../support/bootstrap.ts";
import { ConversationLog } from "../support/conversation_log.ts";
import { DelayProxy } from "../support/delay_proxy.ts";
import { Envoy } from "../support/envoy.ts";
import { until } from "../support/until.ts";

/** The node of the Envoy, which is the key of its snapshot. */
export const NODE = "envoy-1";

/** Both protocols, to name tests after. */
export const PROTOCOLS = [
  { delta: false, protocol: "SotW" },
  { delta: true, protocol: "delta" },
] as const;

/** How long a snapshot may take to settle, in milliseconds: far less than any timeout of Envoy's. */
export const PROMPT = 2_000;

/** Options of a {@linkcode Scene}. */
export interface SceneOptions {
  delta: boolean;
  /** The first snapshot. */
  snapshot: Snapshot;
  cache?: SnapshotCacheOptions;
  /** Clusters of the bootstrap, as JSON. */
  staticClusters?: readonly JsonValue[];
  /** More arguments for Envoy's command line. */
  args?: readonly string[];
}

/** A control plane and an Envoy that gets everything from it on an aggregated stream, through a proxy. */
export class Scene implements AsyncDisposable {
  /** The cache; another one after a restart that forgets. */
  cache: SnapshotCache;
  readonly log: ConversationLog;
  readonly envoy: Envoy;
  readonly proxy: DelayProxy;
  #server: XdsServer;

  private constructor(
    cache: SnapshotCache,
    log: ConversationLog,
    server: XdsServer,
    proxy: DelayProxy,
    envoy: Envoy,
  ) {
    this.cache = cache;
    this.log = log;
    this.#server = server;
    this.proxy = proxy;
    this.envoy = envoy;
  }

  /** Starts it, and waits until Envoy has connected and its admin interface answers. */
  static async start(options: SceneOptions): Promise<Scene> {
    const { delta, staticClusters = [] } = options;
    await using stack = new AsyncDisposableStack();
    const cache = new SnapshotCache({ ads: true, ...options.cache });
    cache.set(NODE, options.snapshot);
    const log = new ConversationLog();
    const server = await listen(cache, log, 0);
    stack.defer(() => server.shutdown());
    const { port } = server.addr;
    const proxy = stack.use(await DelayProxy.start(port, 0));
    const config = bootstrap({
      node: NODE,
      port: proxy.port,
      source: "ads",
      delta,
    });
    const { clusters } = config.static_resources as { clusters: JsonValue[] };
    clusters.push(...staticClusters);
    const envoy = stack.use(await Envoy.start(config, options.args));
    await until("Envoy to connect", () => cache.status(NODE).length > 0);
    stack.move();
    return new Scene(cache, log, server, proxy, envoy);
  }

  /** Sets a snapshot. */
  set(snapshot: Snapshot): void {
    this.log.note("set");
    this.cache.set(NODE, snapshot);
  }

  /** Sets a snapshot as soon as an event says so; the promise resolves then. */
  setWhen(isTime: () => boolean, snapshot: Snapshot): Promise<void> {
    return until("the moment to set a snapshot", isTime)
      .then(() => this.set(snapshot));
  }

  /** Waits until Envoy is connected and has answered everything. */
  async settles(deadline = PROMPT): Promise<Settlement> {
    const signal = AbortSignal.timeout(deadline);
    try {
      const settlement = await this.cache.settled(NODE, { signal });
      this.log.note(settlement.accepted ? "settled" : "settled: nacked");
      return settlement;
    } catch (cause) {
      throw new Error(`not settled within ${deadline} ms`, { cause });
    }
  }

  /** Waits until Envoy has initialized, and the snapshot has settled soon after. */
  async starts(): Promise<Settlement> {
    await this.envoy.live(5_000);
    this.log.note("LIVE");
    return await this.settles();
  }

  /** Cuts Envoy's connection; what it says on the next one is not delayed. */
  cut(): void {
    this.proxy.delay = 0;
    this.proxy.cut();
    this.log.note("cut");
  }

  /**
   * Stops the server, sets a snapshot, starts a server on the same port, and waits until Envoy has connected again.
   *
   * @param options.forget starts with a new cache, which knows no older snapshots
   */
  async restart(
    snapshot: Snapshot,
    options: { forget?: boolean } = {},
  ): Promise<void> {
    const { port } = this.#server.addr;
    await this.#server.shutdown();
    this.log.note("stopped");
    if (options.forget) this.cache = new SnapshotCache({ ads: true });
    this.set(snapshot);
    this.#server = await listen(this.cache, this.log, port);
    this.log.note("started");
    await this.#connected();
  }

  async #connected(): Promise<void> {
    await until(
      "Envoy to connect",
      () => this.cache.status(NODE).length > 0,
    );
  }

  async [Symbol.asyncDispose]() {
    await this.envoy[Symbol.asyncDispose]();
    await this.proxy[Symbol.asyncDispose]();
    await this.#server.shutdown();
  }
}

function listen(cache: SnapshotCache, log: ConversationLog, port: number) {
  const observer = log.observe;
  return serve({ cache, hostname: "127.0.0.1", port, observer });
}
