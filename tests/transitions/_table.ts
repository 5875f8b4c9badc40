import type { Mode } from "./_rounds.ts";
import type { RunResult } from "./_run.ts";

const DISTURBANCES: Readonly<Record<Mode, string>> = {
  undisturbed: "none",
  restarts: "disconnects and restarts",
  late: "disconnects, restarts and a delay of up to 40 ms",
};

/** The head of the table. */
export const header = [
  "| protocol | disturbances | control plane | requests lost of sent | in force: median, worst | " +
  "not in force within 8 s | in force but not settled |",
  "| --- | --- | --- | ---: | ---: | ---: | ---: |",
].join("\n");

/** A row of it. */
export function row(
  protocol: string,
  mode: Mode,
  peer: string,
  result: RunResult,
): string {
  const times = result.times.toSorted((a, b) => a - b);
  const median = times[times.length >> 1] ?? NaN;
  const worst = times.at(-1) ?? NaN;
  const cells = [
    protocol === "sotw" ? "SotW" : protocol,
    DISTURBANCES[mode],
    peer === "go" ? "go-control-plane" : "ours",
    `${result.lost} of ${result.sent}`,
    `${median.toFixed(0)} ms, ${worst.toFixed(0)} ms`,
    `${result.notInForce} of ${result.notInForce + times.length}`,
    peer === "go" ? "unknown" : String(result.unsettled),
  ];
  return `| ${cells.join(" | ")} |`;
}
