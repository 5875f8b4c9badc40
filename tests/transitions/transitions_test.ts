/** `deno task transitions` in short, with a fixed seed. */
import { assert, assertEquals } from "@std/assert";
import { PROTOCOLS } from "../envoy/_scene.ts";
import { run } from "./_run.ts";

/** How long transitions may take, in milliseconds, although other tests run at the same time. */
const MEDIAN = 500;
const WORST = 3_000;

for (const { delta, protocol } of PROTOCOLS) {
  for (
    const { mode, rounds, what } of [
      { mode: "undisturbed", rounds: 100, what: "random transitions" },
      {
        mode: "restarts",
        rounds: 30,
        what: "random transitions with disconnects and restarts",
      },
    ] as const
  ) {
    Deno.test(`${what} complete and lose no request, ${protocol}`, async () => {
      const reports: string[] = [];
      const result = await run({
        delta,
        mode,
        rounds,
        seed: 1,
        rate: 100,
        report: (text) => reports.push(text),
      });
      const failures = reports.filter((text) => !text.startsWith("slow"));
      assertEquals(failures, []);
      const { sent, lost, times, leftovers } = result;
      assert(sent > 0);
      assertEquals(lost, 0);
      assertEquals(times.length, rounds);
      const sorted = times.toSorted((a, b) => a - b);
      assert(sorted[rounds >> 1] < MEDIAN, `median: ${sorted[rounds >> 1]} ms`);
      assert(sorted.at(-1)! < WORST, `worst: ${sorted.at(-1)} ms`);
      assertEquals(leftovers, []);
    });
  }
}
