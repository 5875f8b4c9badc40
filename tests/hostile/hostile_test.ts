/** A client that behaves is served beside those that do not: a few attacks, for a short time. `deno task hostile` has all. */
import { assert, assertEquals, assertLess } from "@std/assert";
import { measure } from "./_measure.ts";
import { ours } from "./hostile.ts";

const SECONDS = 0.8;
/** Several tests may share the machine; alone, they are a fraction of it. */
const MEDIAN = 60;
const WORST = 1_500;
/** MB that may be in use after, more than before. */
const AFTER = 12;

const attacks = [
  "messages without end, on 200 streams",
  "listening addresses",
  "keys of metadata",
  "100 000 names, others each time",
  "messages that do not come to their end",
  "responses that are not read",
  "streams that are begun and reset",
  "REST: polls without waiting for answers",
];

for (const attack of attacks) {
  Deno.test(`a client is served beside one that sends: ${attack}`, async () => {
    const outcome = await measure(ours, attack, SECONDS * 1_000);
    assertEquals(outcome.isDead, false, `${outcome.peak} MB`);
    assertLess(outcome.median, MEDIAN);
    assertLess(outcome.worst, WORST);
    assertLess(outcome.after, AFTER);
    assert(outcome.peak > 0);
  });
}
