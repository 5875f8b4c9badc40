import { assert, assertEquals } from "@std/assert";
import { storm } from "./_storm.ts";

Deno.test("a storm over sockets is admitted at the rate, in turn, and all get in", async () => {
  const streams = 1_000;
  const rate = 400;
  const result = await storm({
    streams,
    connections: 50,
    admissionsPerSecond: rate,
  });
  assertEquals(result.served, streams);
  assertEquals(result.outOfTurn, 0);
  // What may come at once, after a rest, comes on top.
  const most = Math.ceil(rate * 1.02) + 1;
  assert(result.mostInASecond <= most, `${result.mostInASecond} in a second`);
  // Typically: a machine that is busy with other things delays now and then one.
  const typical = result.during[Math.floor(result.during.length / 2)];
  assert(typical < 100, `a change came ${typical} ms late in the storm`);
});
