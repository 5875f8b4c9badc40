/** What goes wrong beside clients' requests: nothing of it is kept, and an honest client does not wait. */
import { others } from "./_others.ts";
import { assertNothingKept, assertPrompt, type Report } from "./_report.ts";
import { reports } from "./_spawn.ts";

const names = Object.keys(others);
const ROUNDS = 20;
const floor = { median: 1, p90: 10 };
let found: Promise<Map<string, Report>> | undefined;

for (const name of names) {
  Deno.test(name, async () => {
    found ??= reports("_in_memory.ts", ROUNDS, names);
    const report = (await found).get(name)!;
    assertNothingKept(report);
    assertPrompt(report, floor);
  });
}
