import {
  Bench,
  type Clients,
  type Effort,
  runsOf,
  type Samples,
  type Side,
} from "./_measure.ts";

const UPDATES = 1_000;
const INTERVAL = 10;

/** A case in which one endpoint after the other changes, faster than clients can be told of each. */
export function churnCase(clients: Clients) {
  return async (
    sides: readonly Side[],
    effort: Effort,
  ): Promise<Samples> => {
    const [{ type, count = 1 }] = clients.subscriptions;
    await using stack = new AsyncDisposableStack();
    const benches: Bench[] = [];
    const content = { [shortName(type)]: count };
    for (const side of sides) {
      const bench = await Bench.start(side, [{ do: "snapshot", content }]);
      benches.push(stack.use(bench));
      await bench.connect(clients);
      await turn(bench, type, count, 200);
    }
    const samples: Samples = sides.map(() => []);
    for (const _ of runsOf(effort)) {
      for (const [i, bench] of benches.entries()) {
        samples[i].push(
          await bench.measure(() => turn(bench, type, count, UPDATES)),
        );
      }
    }
    return samples;
  };
}

async function turn(
  bench: Bench,
  type: string,
  count: number,
  updates: number,
) {
  const revision = bench.revision + 1;
  bench.revision += updates;
  await bench.load.ask({ do: "arm", version: String(bench.revision) });
  const at = await bench.server.ask<number[]>({
    do: "churn",
    type: shortName(type),
    count,
    updates,
    revision,
    interval: INTERVAL,
  });
  const { responses, bytes } = await bench.load.ask<
    { responses: number; bytes: number }
  >({ do: "wait" });
  const { median, worst } = await bench.load.ask<
    { median: number; worst: number }
  >({ do: "late", from: revision, at });
  return { responses, bytes, late: median, latest: worst };
}

function shortName(typeUrl: string): string {
  return typeUrl.slice(typeUrl.lastIndexOf(".") + 1);
}
