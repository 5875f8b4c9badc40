/**
 * What a new version of a 30 KB response costs the server, 500 ADS streams on 50 connections: ours, and `node:http2`
 * writing the same bytes with nothing in between, in turn. A part of what bench.ts measures, for a quick look.
 */
import { median } from "./_measure.ts";
import { fanOut } from "./_scenarios.ts";
import { roundsCase } from "./_rounds.ts";
import { bare, buildGo, ours } from "./_sides.ts";

const RUNS = 9;

await buildGo();
const measure = roundsCase(fanOut("sotw", 500, 100));
const samples = await measure([ours, bare], { runs: RUNS, budget: Infinity });
const cpus = samples.map((side) => side.map(({ cpu }) => cpu!));
for (const [i, name] of ["ours", "node:http2"].entries()) {
  const range = `${Math.min(...cpus[i]).toFixed(1)} … ${
    Math.max(...cpus[i]).toFixed(1)
  }`;
  const wall = median(samples[i].map(({ wall }) => wall!));
  console.log(
    `${name.padEnd(12)} CPU a round ${
      median(cpus[i]).toFixed(1)
    } ms (${range}), wall ${wall.toFixed(1)} ms`,
  );
}
console.log(
  `ratio of CPU ${(median(cpus[0]) / median(cpus[1])).toFixed(2)}`,
);
