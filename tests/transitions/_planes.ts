import {
  serve,
  type Snapshot,
  SnapshotCache,
  type XdsServer,
} from "../../mod.ts";
import { Process } from "../bench/_process.ts";
import { tools } from "../bench/_sides.ts";
import { ConversationLog } from "../support/conversation_log.ts";

/** The node of the Envoy. */
export const NODE = "transitions";

/** A control plane that can be given snapshots, and restarted. */
export interface Plane extends AsyncDisposable {
  readonly port: number;
  /** The conversation, where it is known. */
  readonly log: ConversationLog;
  set(snapshot: Snapshot): void | Promise<void>;
  /** Stops serving. */
  stop(): Promise<void>;
  /** Serves again on the same port, with the same snapshots. */
  start(): Promise<void>;
  /** Whether the newest snapshot has settled; undefined where that cannot be known. */
  settled(signal: AbortSignal): Promise<boolean> | undefined;
  /** Whether a client is connected; undefined where that cannot be known. */
  connected(): boolean | undefined;
}

/** How long our cache keeps what a drained listener may still use, in milliseconds. */
export const DRAIN = 2_000;

/** Our server. */
export async function ours(): Promise<Plane> {
  const log = new ConversationLog();
  const cache = new SnapshotCache({ ads: true, drain: DRAIN });
  const listen = (port: number) =>
    serve({ cache, hostname: "127.0.0.1", port, observer: log.observe });
  let server: XdsServer = await listen(0);
  const { port } = server.addr;
  return {
    port,
    log,
    set(snapshot) {
      log.note("set");
      cache.set(NODE, snapshot);
    },
    async stop() {
      await server.shutdown();
      log.note("stopped");
    },
    async start() {
      server = await listen(port);
      log.note("started");
    },
    async settled(signal) {
      const { accepted, clients } = await cache.settled(NODE, { signal });
      return accepted && clients.length > 0;
    },
    connected: () => cache.status(NODE).length > 0,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** go-control-plane's snapshot cache with ordered ADS. */
export async function goControlPlanes(): Promise<Plane> {
  const process = new Process(`${tools}lossless`);
  const log = new ConversationLog();
  const port = await process.answer<number>();
  let version = 0;
  return {
    port,
    log,
    async set(snapshot) {
      log.note("set");
      const resources = snapshot.typeUrls.flatMap((typeUrl) =>
        [...snapshot.resources(typeUrl).values()].map(({ bytes }) => ({
          typeUrl,
          bytes: bytes.toBase64(),
        }))
      );
      version++;
      await process.ask({ node: NODE, version: String(version), resources });
    },
    async stop() {
      await process.ask({ do: "stop" });
      log.note("stopped");
    },
    async start() {
      await process.ask({ do: "start" });
      log.note("started");
    },
    settled: () => undefined,
    connected: () => undefined,
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  };
}
