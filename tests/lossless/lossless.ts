import {
  createSnapshot,
  serve,
  type Snapshot,
  SnapshotCache,
} from "../../mod.ts";
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

/** Replaces the configuration of a real Envoy over and over while requests go through it. */
export async function replaceUnderLoad(
  options: LosslessOptions,
): Promise<LoadResult> {
  const { delta, rounds, rate, delay = 0, makeBeforeBreak } = options;
  await using upstream = new Upstream("upstream");
  const cache = new SnapshotCache({ ads: true, makeBeforeBreak });
  cache.set(NODE, snapshotFor(0, upstream));
  await using server = await serve({ cache, hostname: "127.0.0.1", port: 0 });
  await using proxy = await DelayProxy.start(server.addr.port, delay);
  await using envoy = await Envoy.start(
    bootstrap({ node: NODE, port: proxy.port, source: "ads", delta }),
  );
  await envoy.live();
  await using load = new Load(await envoy.port("web"), rate);
  for (let round = 1; round <= rounds; round++) {
    cache.set(NODE, snapshotFor(round, upstream));
    const signal = AbortSignal.timeout(15_000);
    const { accepted } = await cache.settled(NODE, { signal });
    if (!accepted) throw new Error(`round ${round} was refused`);
  }
  return await load.end();
}
