/** What importing the package and serving costs over a Deno program that does nothing. */
import { median } from "./_measure.ts";
import { program } from "./_process.ts";

interface Cost {
  cpu: number;
  memory: number;
}

const RUNS = 7;
const cost: Record<string, Cost[]> = {
  "_start_empty.ts": [],
  "_start_serving.ts": [],
};
for (let run = 0; run < RUNS; run++) {
  for (const [file, costs] of Object.entries(cost)) {
    await using process = program(file);
    costs.push(await process.answer<Cost>());
  }
}
const [empty, serving] = Object.values(cost).map((costs) => ({
  cpu: median(costs.map(({ cpu }) => cpu)),
  memory: median(costs.map(({ memory }) => memory)) / 1e6,
}));
console.log(
  `empty program  CPU ${empty.cpu.toFixed(0)} ms, memory ${
    empty.memory.toFixed(0)
  } MB`,
);
console.log(
  `serving        CPU ${serving.cpu.toFixed(0)} ms, memory ${
    serving.memory.toFixed(0)
  } MB`,
);
console.log(
  `more           CPU ${(serving.cpu - empty.cpu).toFixed(0)} ms, memory ${
    (serving.memory - empty.memory).toFixed(0)
  } MB`,
);
