import { Load, type LoadResult } from "../lossless/load.ts";
import { bootstrap } from "../support/bootstrap.ts";
import { DelayProxy } from "../support/delay_proxy.ts";
import { Envoy } from "../support/envoy.ts";
import { freePort } from "../support/free_port.ts";
import { until } from "../support/until.ts";
import { Upstream } from "../support/upstream.ts";
import { clusterNames, missingFrom } from "./_in_force.ts";
import { DRAIN, goControlPlanes, NODE, ours, type Plane } from "./_planes.ts";
import type { Round } from "./_rounds.ts";
import { type Ports, snapshotOf } from "./_snapshot.ts";
import type { World } from "./_world.ts";

/** How long a transition may take, in milliseconds. */
export const DEADLINE = 8_000;

/** Envoy closes drained connections after a second, at their next response. */
const DRAIN_ARGS = ["--drain-time-s", "1", "--drain-strategy", "immediate"];

/** Options of a {@linkcode Session}. */
export interface SessionOptions {
  delta: boolean;
  /** Whether go-control-plane is the control plane. Default: our server. */
  peer?: boolean;
  /** Requests a second. */
  rate: number;
}

/** What came of a transition. */
export interface Outcome {
  /** Milliseconds until the newest configuration was in force; undefined if it was not within the deadline. */
  readonly inForce: number | undefined;
  /** Why it failed; undefined if it did not. */
  readonly failure: string | undefined;
}

/** An Envoy under load, and its control plane. */
export class Session implements AsyncDisposable {
  readonly plane: Plane;
  readonly #envoy: Envoy;
  readonly #proxy: DelayProxy;
  readonly #load: Load;
  readonly #ports: Ports;
  readonly #stack: AsyncDisposableStack;

  private constructor(
    parts: { plane: Plane; envoy: Envoy; proxy: DelayProxy; load: Load },
    ports: Ports,
    stack: AsyncDisposableStack,
  ) {
    this.plane = parts.plane;
    this.#envoy = parts.envoy;
    this.#proxy = parts.proxy;
    this.#load = parts.load;
    this.#ports = ports;
    this.#stack = stack;
  }

  /** Starts everything with a world in force. */
  static async start(options: SessionOptions, world: World): Promise<Session> {
    await using stack = new AsyncDisposableStack();
    const one = stack.use(new Upstream("one"));
    const two = stack.use(new Upstream("two"));
    const ports: Ports = {
      upstreams: [one.port, two.port],
      web: freePort(),
      tls: freePort(),
    };
    const plane = stack.use(await (options.peer ? goControlPlanes() : ours()));
    await plane.set(snapshotOf(world, ports));
    const proxy = stack.use(await DelayProxy.start(plane.port, 0));
    const { delta } = options;
    const envoy = stack.use(
      await Envoy.start(
        bootstrap({ node: NODE, port: proxy.port, source: "ads", delta }),
        DRAIN_ARGS,
      ),
    );
    await envoy.live();
    await until(
      "the first configuration",
      async () => await missingFrom(envoy, world, ports) === undefined,
    );
    const load = stack.use(new Load(ports.web, options.rate));
    const answered = async () =>
      (await envoy.stat("http.web.downstream_rq_2xx") ?? 0) > 0;
    await until("the load", answered);
    const moved = stack.move();
    return new Session({ plane, envoy, proxy, load }, ports, moved);
  }

  /** Goes through a round, and waits until its newest configuration is in force and has settled. */
  async run(round: Round): Promise<Outcome> {
    let since = performance.now();
    const { steps, disturbance } = round;
    this.#proxy.delay = round.delay;
    if (disturbance === "restart") await this.plane.stop();
    for (const [i, { world, changes }] of steps.entries()) {
      if (i > 0) await pause(round.pause);
      this.plane.log.note(`changes: ${changes.join(", ")}`);
      since = performance.now();
      await this.plane.set(snapshotOf(world, this.#ports));
    }
    if (disturbance === "restart") await this.plane.start();
    if (disturbance === "cut") {
      await pause(round.cutAfter);
      this.#proxy.cut();
      this.plane.log.note("cut");
    }
    const { world } = steps.at(-1)!;
    return await this.#transition(world, since, disturbance !== "none");
  }

  async #transition(
    world: World,
    since: number,
    reconnects: boolean,
  ): Promise<Outcome> {
    const disturbed = performance.now();
    const end = disturbed + DEADLINE;
    let missing: string | undefined;
    // Envoy's answer takes time of the thread that applies configurations: less and less often.
    let interval = 5;
    do {
      missing = await missingFrom(this.#envoy, world, this.#ports);
      if (missing !== undefined) await pause(interval);
      interval = Math.min(interval * 1.2, 50);
    } while (missing !== undefined && performance.now() < end);
    if (missing !== undefined) {
      return { inForce: undefined, failure: `not in force: ${missing}` };
    }
    // Envoy's time to connect again is not the control plane's.
    const connected = this.#proxy.connectedAt;
    const inForce = performance.now() -
      (reconnects && connected > since ? connected : since);
    return { inForce, failure: await this.#unsettled(end) };
  }

  async #unsettled(end: number): Promise<string | undefined> {
    while (this.plane.connected() === false && performance.now() < end) {
      await pause(5);
    }
    const left = Math.max(0, end - performance.now());
    try {
      const isAcked = await this.plane.settled(AbortSignal.timeout(left));
      return isAcked === false ? "settled as nacked" : undefined;
    } catch {
      return `in force, but not settled within ${DEADLINE} ms`;
    }
  }

  /** Clusters that Envoy still has although a world lacks them, long after connections were drained. */
  async leftovers(world: World): Promise<string | undefined> {
    const expected = [...world.clusters.keys()].sort().join(" ");
    let found = "";
    try {
      await until("removals", async () => {
        found = (await clusterNames(this.#envoy)).join(" ");
        return found === expected;
      }, 2 * DRAIN + 2_000);
      return undefined;
    } catch {
      return `Envoy has the clusters ${found} instead of ${expected}`;
    }
  }

  /** Ends the load. */
  async end(): Promise<LoadResult> {
    return await this.#load.end();
  }

  async [Symbol.asyncDispose]() {
    await this.#stack.disposeAsync();
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
