import {
  type Cache,
  createSnapshot,
  LinearCache,
  MuxCache,
  serve,
  type Snapshot,
  SnapshotCache,
  TypeUrl,
  updateAll,
} from "../../mod.ts";
import { Process } from "../bench/_process.ts";
import { tools } from "../bench/_sides.ts";
import { bootstrap } from "../support/bootstrap.ts";
import { DelayProxy } from "../support/delay_proxy.ts";
import { Envoy } from "../support/envoy.ts";
import {
  cluster,
  endpoints,
  listener,
  rds,
  routes,
} from "../support/resources.ts";
import { until } from "../support/until.ts";
import { Upstream } from "../support/upstream.ts";
import { Load, type LoadResult } from "./load.ts";

/** What to put a client's requests through. */
export interface LosslessOptions {
  delta: boolean;
  /** How many times routes, cluster and endpoints are replaced by entirely new ones. */
  rounds: number;
  /** Requests a second. */
  rate: number;
  /** Delay of what Envoy says to the control plane, in milliseconds. */
  delay?: number;
  makeBeforeBreak?: boolean;
  /** Whether each type is in a `LinearCache` of its own. Default: all are in a `SnapshotCache`. */
  linear?: boolean;
  /** Whether go-control-plane does it. Default: our server. */
  peer?: boolean;
}

const NODE = "lossless";

function snapshotFor(round: number, upstream: Upstream): Snapshot {
  const name = `cluster-${round}`;
  return createSnapshot({
    resources: [
      listener("web", { routeSpecifier: rds("routes", "ads") }),
      routes("routes", name),
      cluster(name, "ads"),
      endpoints(name, upstream.port),
    ],
  });
}

/** A control plane that a snapshot can be given to. */
interface ControlPlane extends AsyncDisposable {
  readonly port: number;
  set(round: number, snapshot: Snapshot): void | Promise<void>;
  /** Waits until it is known that the client has taken a round, where that can be known. */
  settled(round: number): Promise<void>;
}

async function ours(makeBeforeBreak?: boolean): Promise<ControlPlane> {
  const cache = new SnapshotCache({ ads: true, makeBeforeBreak });
  const server = await serve({ cache, hostname: "127.0.0.1", port: 0 });
  return {
    port: server.addr.port,
    set: (_round, snapshot) => cache.set(NODE, snapshot),
    async settled(round) {
      const signal = AbortSignal.timeout(15_000);
      const { accepted } = await cache.settled(NODE, { signal });
      if (!accepted) throw new Error(`round ${round} was refused`);
    },
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** A `LinearCache` for each type, changed together. */
async function linear(makeBeforeBreak = true): Promise<ControlPlane> {
  const caches = new Map<string, LinearCache>(
    [
      TypeUrl.Listener,
      TypeUrl.RouteConfiguration,
      TypeUrl.ClusterLoadAssignment,
      TypeUrl.Cluster,
    ].map((
      typeUrl,
    ) => [typeUrl, new LinearCache(typeUrl, { makeBeforeBreak })]),
  );
  const cache: Cache = new MuxCache(({ typeUrl }) => caches.get(typeUrl));
  const server = await serve({ cache, hostname: "127.0.0.1", port: 0 });
  return {
    port: server.addr.port,
    set(_round, snapshot) {
      updateAll(...[...caches.values()].map((cache) => {
        const resources = snapshot.resources(cache.typeUrl);
        const gone = [...cache.names()].filter((name) => !resources.has(name));
        return [cache, { set: resources.values(), delete: gone }] as const;
      }));
    },
    settled: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** go-control-plane's, with ordered ADS. `deno task lossless` builds it. */
async function goControlPlanes(): Promise<ControlPlane> {
  const process = new Process(`${tools}lossless`);
  return {
    port: await process.answer<number>(),
    async set(round, snapshot) {
      const resources = snapshot.typeUrls.flatMap((typeUrl) =>
        [...snapshot.resources(typeUrl).values()].map(({ bytes }) => ({
          typeUrl,
          bytes: btoa(String.fromCharCode(...bytes)),
        }))
      );
      await process.ask({ node: NODE, version: String(round), resources });
    },
    settled: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  };
}

/** Waits until an Envoy has the routes and clusters of a round, and no others. */
function taken(envoy: Envoy, round: number): Promise<unknown> {
  return until(`round ${round} to be taken`, async () => {
    const clusters = await envoy.admin("/clusters");
    const routes = await envoy.admin(
      "/config_dump?resource=dynamic_route_configs",
    );
    return routes.includes(`"cluster-${round}"`) &&
      clusters.includes(`cluster-${round}::`) &&
      !clusters.includes(`cluster-${round - 1}::`);
  });
}

/** Replaces the configuration of a real Envoy over and over while requests go through it. */
export async function replaceUnderLoad(
  options: LosslessOptions,
): Promise<LoadResult> {
  const { delta, rounds, rate, delay = 0, makeBeforeBreak } = options;
  await using upstream = new Upstream("upstream");
  await using plane =
    await (options.peer
      ? goControlPlanes()
      : options.linear
      ? linear(makeBeforeBreak)
      : ours(makeBeforeBreak));
  await plane.set(0, snapshotFor(0, upstream));
  await using proxy = await DelayProxy.start(plane.port, delay);
  await using envoy = await Envoy.start(
    bootstrap({ node: NODE, port: proxy.port, source: "ads", delta }),
  );
  await envoy.live();
  await using load = new Load(await envoy.port("web"), rate);
  for (let round = 1; round <= rounds; round++) {
    await plane.set(round, snapshotFor(round, upstream));
    await plane.settled(round);
    await taken(envoy, round);
  }
  return await load.end();
}
