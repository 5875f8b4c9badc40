/**
 * The cost of serving, beside go-control-plane on the same work: a table in Markdown.
 *
 * `--only <text>` measures the rows whose names hold the text; `--runs <number>` says how often each side has its turn.
 */
import { parseArgs } from "node:util";
import { scenarios } from "./_scenarios.ts";
import { buildGo } from "./_sides.ts";
import { head, row } from "./_table.ts";

const { values } = parseArgs({
  args: Deno.args,
  options: {
    only: { type: "string", default: "" },
    runs: { type: "string", default: "5" },
  },
});
const runs = Number(values.runs);
if (!Number.isInteger(runs) || runs < 1) {
  throw new Error(`--runs takes a whole number above 0, not ${values.runs}`);
}
const chosen = scenarios.filter(({ name }) => name.includes(values.only));
if (chosen.length === 0) {
  throw new Error(
    `no scenario's name holds ${JSON.stringify(values.only)}; there are:\n${
      scenarios.map(({ name }) => name).join("\n")
    }`,
  );
}

await buildGo();
console.log(head());
for (const { name, measure } of chosen) {
  console.log(row({ name, samples: await measure({ runs }) }));
}
