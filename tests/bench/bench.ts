/**
 * The cost of serving, beside go-control-plane on the same work: a table in Markdown.
 *
 * `--only <text>` measures the rows whose names hold the text; `--runs <number>` says how often each side has its turn.
 */
import { parseArgs } from "node:util";
import { machine } from "./_machine.ts";
import { tables } from "./_scenarios.ts";
import { buildGo } from "./_sides.ts";
import { head, row } from "./_table.ts";

/** Milliseconds for a row, so that all of them fit into a quarter of an hour. */
const BUDGET = 20_000;

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
const chosen = tables.map(({ title, columns, rows }) => ({
  title,
  columns,
  rows: rows.filter(({ name }) => `${title}: ${name}`.includes(values.only)),
})).filter(({ rows }) => rows.length > 0);
if (chosen.length === 0) {
  const names = tables.flatMap(({ title, rows }) =>
    rows.map(({ name }) => `${title}: ${name}`)
  );
  throw new Error(
    `no row's name holds ${JSON.stringify(values.only)}; there are:\n${
      names.join("\n")
    }`,
  );
}

await buildGo();
const start = performance.now();
console.log(machine());
for (const { title, columns, rows } of chosen) {
  console.log(`\n**${title}**\n\n${head(columns)}`);
  for (const { name, sides, measure } of rows) {
    const [mine, other] = await measure(sides, { runs, budget: BUDGET });
    const times = mine.length < runs ? ` (${mine.length} runs)` : "";
    console.log(row(name + times, columns, mine, other));
  }
}
const minutes = (performance.now() - start) / 60_000;
console.log(`\nMeasured in ${minutes.toFixed(1)} minutes.`);
