/**
 * `deno task lossless`: how many requests fail while everything that they need is replaced, with our server and with
 * go-control-plane (its snapshot cache with ADS, and ordered ADS), in Markdown. Needs Go.
 */
import { buildGo } from "../bench/_sides.ts";
import { replaceUnderLoad } from "./lossless.ts";

await buildGo();
console.log(
  "| protocol | ACKs | rounds | ours: failed of sent | go-control-plane |",
);
console.log("| --- | --- | ---: | ---: | ---: |");
for (const delta of [false, true]) {
  for (const [delay, rounds] of [[0, 50], [100, 20]]) {
    const row = [
      delta ? "delta" : "state of the world",
      delay === 0 ? "at once" : `${delay} ms late`,
      rounds,
    ];
    for (const peer of [false, true]) {
      const result = await replaceUnderLoad({
        delta,
        rounds,
        rate: 500,
        delay,
        peer,
      });
      row.push(`${result.sent - result.answered} of ${result.sent}`);
    }
    console.log(`| ${row.join(" | ")} |`);
  }
}
