import {
  Bench,
  type Clients,
  type Effort,
  median,
  runsOf,
  type Sample,
  type Samples,
  type Side,
} from "./_measure.ts";

/** A case in which clients stay connected, and the server does the same again and again. */
export interface RoundsCase {
  /** What the servers are told before they listen. */
  setup: readonly object[];
  clients: Clients;
  /** What they are told each time. */
  push: object;
  /** How many responses that brings. */
  responses: number;
}

const WARM_UP = 1_500;
const TURN = 500;
const FEWEST_WARM_UP = 1;
const MOST_ROUNDS = 100;

/** Measures rounds: each side warms up, and then they take turns. A sample is the mean of a turn's rounds. */
export function roundsCase(
  rounds: RoundsCase,
  convert: (sample: Sample) => Sample = (sample) => sample,
) {
  return async (sides: readonly Side[], effort: Effort): Promise<Samples> => {
    const samples = await measureRounds(sides, effort, rounds);
    return samples.map((side) => side.map(convert));
  };
}

async function measureRounds(
  sides: readonly Side[],
  effort: Effort,
  { setup, clients, push, responses }: RoundsCase,
): Promise<Samples> {
  await using stack = new AsyncDisposableStack();
  const benches: Bench[] = [];
  let slowest = 0;
  for (const side of sides) {
    const bench = stack.use(await Bench.start(side, setup));
    benches.push(bench);
    await bench.connect(clients);
    const walls: number[] = [];
    const start = performance.now();
    while (
      walls.length < FEWEST_WARM_UP || performance.now() - start < WARM_UP
    ) {
      await bench.push(push, responses);
      walls.push(performance.now() - start);
    }
    slowest = Math.max(slowest, walls.at(-1)! - (walls.at(-2) ?? 0));
  }
  const rounds = Math.min(MOST_ROUNDS, Math.max(1, Math.ceil(TURN / slowest)));
  const samples: Samples = sides.map(() => []);
  for (const _ of runsOf(effort)) {
    for (const [i, bench] of benches.entries()) {
      const walls: number[] = [];
      const sample = await bench.measure(async () => {
        let bytes = 0;
        for (let round = 0; round < rounds; round++) {
          const done = await bench.push(push, responses);
          walls.push(done.wall);
          bytes = done.bytes;
        }
        return responses === 0 ? {} : { bytes, responses };
      });
      samples[i].push({
        ...sample,
        cpu: sample.cpu! / rounds,
        load: sample.load! / rounds,
        wall: responses === 0 ? undefined : median(walls),
      });
    }
  }
  return samples;
}
