import { TypeUrl } from "../../mod.ts";
import {
  Bench,
  type Clients,
  type Effort,
  runsOf,
  type Samples,
  type Side,
} from "./_measure.ts";

/** A case in which the same clients connect again and again. */
export function connectCase(setup: readonly object[], clients: Clients) {
  return async (
    sides: readonly Side[],
    effort: Effort,
  ): Promise<Samples> => {
    await using stack = new AsyncDisposableStack();
    const benches: Bench[] = [];
    for (const side of sides) {
      benches.push(stack.use(await Bench.start(side, setup)));
    }
    const turn = async (bench: Bench) => {
      const sample = await bench.measure(() => bench.connect(clients));
      await bench.load.ask({ do: "disconnect" });
      return sample;
    };
    for (const bench of benches) await turn(bench);
    const samples: Samples = sides.map(() => []);
    for (const _ of runsOf(effort)) {
      for (const [i, bench] of benches.entries()) {
        samples[i].push(await turn(bench));
      }
    }
    return samples;
  };
}

const STREAMS = 1_000;
const content = {
  Cluster: 50,
  ClusterLoadAssignment: 50,
  Listener: 10,
  RouteConfiguration: 10,
  Runtime: 1,
};

/** When clients connect at once: to a server that was just started, or with the versions that they hold. */
export type Storm = "at once" | "after a restart" | "after they were cut off";

/**
 * A case in which clients of four types connect at once to a server that was just started; or once more, with the
 * versions that they hold, after it was restarted, or after nothing but their connections ended.
 */
export function stormCase(protocol: Clients["protocol"], when: Storm) {
  const clients: Clients = {
    protocol,
    streams: STREAMS,
    track: true,
    subscriptions: [
      { type: TypeUrl.Cluster, expect: content.Cluster },
      {
        type: TypeUrl.ClusterLoadAssignment,
        prefix: "cluster-",
        count: content.ClusterLoadAssignment,
        after: TypeUrl.Cluster,
        expect: content.ClusterLoadAssignment,
      },
      {
        type: TypeUrl.Listener,
        expect: content.Listener,
        after: TypeUrl.ClusterLoadAssignment,
      },
      {
        type: TypeUrl.RouteConfiguration,
        prefix: "route-",
        count: content.RouteConfiguration,
        after: TypeUrl.Listener,
        expect: content.RouteConfiguration,
      },
    ],
  };
  const setup = [{ do: "snapshot", content, ads: true, unversioned: true }];
  return async (
    sides: readonly Side[],
    effort: Effort,
  ): Promise<Samples> => {
    const samples: Samples = sides.map(() => []);
    for (const _ of runsOf(effort)) {
      for (const [i, side] of sides.entries()) {
        await using bench = await Bench.start(side, setup);
        const first = await bench.measure(() => bench.connect(clients));
        if (when === "at once") {
          samples[i].push(first);
          continue;
        }
        await bench.load.ask({ do: "disconnect" });
        if (when === "after a restart") await bench.restart(side, setup);
        // What a client lacks nothing of is not answered; the answer to what it asks for last says that all was read.
        const held = { ...clients, held: true, probe: TypeUrl.Runtime };
        samples[i].push(await bench.measure(() => bench.connect(held)));
      }
    }
    return samples;
  };
}
