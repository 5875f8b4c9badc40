/** Costs are tested by how they grow: the size is doubled twice, and each doubling may cost 2.6 times as much at most. */
import { AssertionError } from "@std/assert";

const FACTOR = 2.6;
/** Shorter runs are repeated within a measurement, since the clock is coarse. */
const SHORTEST = 0.5;
const RUNS = 9;
const ATTEMPTS = 5;

/**
 * Fails if the time of a run grows faster than its size. The least of several times counts, so that what else the machine
 * does makes no difference.
 *
 * @param prepare makes what is measured, of a size; preparing is not measured
 */
export async function assertGrowsLinearly(
  size: number,
  prepare: (size: number) => () => unknown | Promise<unknown>,
) {
  let worst = "";
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const times = [];
    for (const factor of [1, 2, 4]) {
      times.push(await timeOf(() => prepare(size * factor)));
    }
    const [one, two, four] = times;
    if (two < one * FACTOR && four < two * FACTOR) return;
    worst = times.map((time) => time.toFixed(2)).join(", ");
    console.error(`growth, attempt ${attempt}: ${worst} ms`);
  }
  throw new AssertionError(
    `the cost grows faster than the size: ${size}, twice and four times that took ${worst} ms`,
  );
}

/** The least time of several runs: whatever else the machine does, or is collected meanwhile, only adds to it. */
async function timeOf(
  prepare: () => () => unknown | Promise<unknown>,
): Promise<number> {
  let least = Infinity;
  for (let run = 0; run < RUNS; run++) {
    let total = 0;
    let count = 0;
    while (total < SHORTEST) {
      const go = prepare();
      const start = performance.now();
      await go();
      total += performance.now() - start;
      count++;
    }
    least = Math.min(least, total / count);
  }
  return least;
}
