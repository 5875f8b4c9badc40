/** Clients that say what they should not: nothing of it is kept, and an honest client beside them does not wait. */
import { answers } from "./_answers.ts";
import { assertNothingKept, assertPrompt, type Report } from "./_report.ts";
import { reports } from "./_spawn.ts";

const names = Object.keys(answers);
const ROUNDS = 40;
const floor = { median: 1, p90: 10 };
let found: Promise<Map<string, Report>> | undefined;

for (const name of names) {
  Deno.test(`a client ${name}`, async () => {
    found ??= reports("_in_memory.ts", ROUNDS, names);
    const report = (await found).get(name)!;
    assertNothingKept(report);
    assertPrompt(report, floor);
  });
}
