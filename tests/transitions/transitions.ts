/**
 * `deno task transitions`: random changes of random kinds on a real Envoy under load, with and without disconnects and
 * restarts of the control plane and a slow network, with our server and with go-control-plane (its snapshot cache with ordered ADS), in
 * Markdown. Needs Go.
 *
 * - `--rounds <number>`: transitions of each row. Default: 500.
 * - `--seed <number>`: another sequence of changes. Default: 1.
 * - `--from <number>`: leaves out the rounds up to this one, to replay a failure.
 * - `--only undisturbed|restarts|late`, `--protocol sotw|delta`, `--peer ours|go`: only these rows.
 */
import { parseArgs } from "node:util";
import { buildGo } from "../bench/_sides.ts";
import type { Mode } from "./_rounds.ts";
import { run } from "./_run.ts";
import { header, row } from "./_table.ts";

const { values } = parseArgs({
  args: Deno.args,
  options: {
    rounds: { type: "string", default: "500" },
    seed: { type: "string", default: "1" },
    from: { type: "string", default: "0" },
    only: { type: "string", default: "" },
    protocol: { type: "string", default: "" },
    peer: { type: "string", default: "" },
  },
});

/** Requests a second. */
const RATE = 300;

/** The alternatives that an option leaves. */
function chosen(option: "only" | "protocol" | "peer", ...all: string[]) {
  const value = values[option];
  if (value && !all.includes(value)) {
    console.error(`--${option} is ${value}: it must be ${all.join(" or ")}`);
    Deno.exit(2);
  }
  return value ? [value] : all;
}

const protocols = chosen("protocol", "sotw", "delta");
const modes = chosen("only", "undisturbed", "restarts", "late") as Mode[];
const peers = chosen("peer", "ours", "go");
if (peers.includes("go")) await buildGo();
console.log(header);
for (const protocol of protocols) {
  for (const mode of modes) {
    for (const peer of peers) {
      const result = await run({
        delta: protocol === "delta",
        mode,
        peer: peer === "go",
        rounds: Number(values.rounds),
        from: Number(values.from),
        seed: Number(values.seed),
        rate: RATE,
        report: (text) => console.error(text),
      });
      console.log(row(protocol, mode, peer, result));
    }
  }
}
