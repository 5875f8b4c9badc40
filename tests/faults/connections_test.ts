/** Clients that do wrong on their connections to a real server: nothing of it is kept, and an honest client does not wait. */
import { connections } from "./_connections.ts";
import { assertNothingKept, assertPrompt, type Report } from "./_report.ts";
import { reports } from "./_spawn.ts";

const names = Object.keys(connections);
const ROUNDS = 40;
const floor = { median: 8, p90: 100 };
let found: Promise<Map<string, Report>> | undefined;

for (const name of names) {
  Deno.test(`a connection that ${name}`, async () => {
    found ??= reports("_over_http2.ts", ROUNDS, names);
    const report = (await found).get(name)!;
    assertNothingKept(report);
    assertPrompt(report, floor);
  });
}
