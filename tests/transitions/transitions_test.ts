/** `deno task transitions` in short, with a fixed seed. */
import { assert, assertEquals } from "@std/assert";
import { PROTOCOLS } from "../envoy/_scene.ts";
import { run } from "./_run.ts";

/** How long a transition may take, in milliseconds, although other tests run at the same time. */
const PROMPT = 2_000;

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
      assertEquals(reports, []);
      const { sent, lost, times, leftovers } = result;
      assert(sent > 0);
      assertEquals(lost, 0);
      assertEquals(times.length, rounds);
      assert(Math.max(...times) < PROMPT, `${Math.max(...times)} ms`);
      assertEquals(leftovers, []);
    });
  }
}
