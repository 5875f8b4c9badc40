/**
 * Attacks our server, and go-control-plane on a gRPC server with its defaults, in every way of `_attacks.ts`, and prints how
 * a client beside the attacker fares, in Markdown. Options: `--only=TEXT`, `--seconds=N`, `--ours`.
 */
import { buildGo, tools } from "../bench/_sides.ts";
import { attacks, ownAttacks } from "./_attacks.ts";
import { measure, type Outcome, type Side } from "./_measure.ts";

const options = new Map(
  Deno.args.map((arg) => {
    const [, name, value = ""] = /^--([^=]+)=?(.*)$/.exec(arg) ?? [];
    return [name, value] as const;
  }),
);
const only = options.get("only") ?? "";
const duration = Number(options.get("seconds") ?? 3) * 1_000;

export const ours: Side = {
  name: "ours",
  command: [
    Deno.execPath(),
    "run",
    "--allow-all",
    "--no-check",
    "--v8-flags=--max-old-space-size=300",
    `${import.meta.dirname}/_server.ts`,
  ],
  rest: true,
};
const theirs: Side = {
  name: "go-control-plane",
  command: [`${tools}hostile`],
  rest: false,
};

function cells(
  { median, worst, peak, after, told, isDead }: Outcome,
): string[] {
  const number = (value: number) =>
    Number.isFinite(value) ? value.toFixed(value < 10 ? 1 : 0) : "—";
  return [
    isDead ? "ended" : number(median),
    isDead ? "ended" : number(worst),
    number(peak),
    isDead ? "—" : number(Math.max(0, after)),
    told.join("; ").slice(0, 80),
  ];
}

async function main() {
  const sides = options.has("ours") ? [ours] : [ours, theirs];
  if (sides.includes(theirs)) await buildGo();
  const columns = ["median", "worst", "peak", "after", "told"];
  const head = [
    "attack",
    ...sides.flatMap(({ name }) =>
      columns.map((column) => `${name}: ${column}`)
    ),
  ];
  console.log(`| ${head.join(" | ")} |`);
  console.log(`|${head.map(() => " --- ").join("|")}|`);
  for (const attack of Object.keys(attacks)) {
    if (!attack.includes(only)) continue;
    const row = [attack];
    for (const side of sides) {
      if (side === theirs && ownAttacks.has(attack)) {
        row.push(...columns.map(() => ""));
      } else row.push(...cells(await measure(side, attack, duration)));
    }
    console.log(`| ${row.join(" | ")} |`);
  }
}

if (import.meta.main) await main();
