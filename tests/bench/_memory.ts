import {
  Bench,
  type Clients,
  type Effort,
  runsOf,
  type Samples,
  type Side,
} from "./_measure.ts";

/** The memory of a stream that has all it wants, over that of the server before anybody came. */
export function perStream(clients: Clients) {
  return perItem(clients.streams, async (side) => {
    const [{ expect }] = clients.subscriptions;
    const setup = [{ do: "snapshot", content: { Cluster: expect } }];
    await using bench = await Bench.start(side, setup);
    // The first client makes the server load what it serves with.
    await bench.connect({ ...clients, streams: 10 });
    await bench.load.ask({ do: "disconnect" });
    const before = (await bench.usage()).rss;
    await bench.connect(clients);
    return (await bench.usage()).rss - before;
  });
}

const ROUNDS = 20;

/** The memory that a client takes which does not read, over that of the same server without such. */
export function perSlowClient(clients: Clients, slow: number) {
  return perItem(slow, async (side) => {
    const without = await residentAfterRounds(side, clients);
    return await residentAfterRounds(side, { ...clients, slow }) - without;
  });
}

async function residentAfterRounds(side: Side, clients: Clients) {
  const [{ expect }] = clients.subscriptions;
  const snapshot = { do: "snapshot", content: { Cluster: expect } };
  await using bench = await Bench.start(side, [snapshot]);
  await bench.connect(clients);
  for (let round = 0; round < ROUNDS; round++) {
    await bench.push(snapshot, clients.streams);
  }
  return (await bench.usage()).rss;
}

function perItem(items: number, measure: (side: Side) => Promise<number>) {
  return async (
    sides: readonly Side[],
    effort: Effort,
  ): Promise<Samples> => {
    const samples: Samples = sides.map(() => []);
    for (const _ of runsOf(effort)) {
      for (const [i, side] of sides.entries()) {
        samples[i].push({ rss: await measure(side) / items });
      }
    }
    return samples;
  };
}
