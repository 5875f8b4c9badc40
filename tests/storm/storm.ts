/**
 * `deno task storm`: 5 000 clients at once, over 100 connections, at several rates of admission, in Markdown. How late
 * changes are at a client that is connected holds what the machine is busy with besides: the clients are on it, too.
 */
import { storm } from "./_storm.ts";

const streams = 5_000;
console.log(
  "| admissionsPerSecond | served | most in a second | out of turn | until the last, s | a change is late, ms: before (median, most) | in the storm (median, 99 %, most) |",
);
console.log("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
for (const admissionsPerSecond of [Infinity, 1_000, 500, 250]) {
  const result = await storm({
    streams,
    connections: 100,
    admissionsPerSecond,
  });
  const { before, during } = result;
  const row = [
    admissionsPerSecond === Infinity ? "none" : admissionsPerSecond,
    `${result.served} of ${streams}`,
    result.mostInASecond,
    result.outOfTurn,
    (result.duration / 1_000).toFixed(1),
    [0.5, 1].map((share) => quantile(before, share)).join(", "),
    [0.5, 0.99, 1].map((share) => quantile(during, share)).join(", "),
  ];
  console.log(`| ${row.join(" | ")} |`);
}

function quantile(sorted: readonly number[], share: number): string {
  const at = Math.min(sorted.length - 1, Math.floor(sorted.length * share));
  return sorted[at].toFixed(1);
}
