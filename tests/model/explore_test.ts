/** Every interleaving of messages in some small worlds; `deno task explore` tries more of them. */
import { assert } from "@std/assert";
import { explore, type Explored } from "./_explorer.ts";
import { Counterexample } from "./_run.ts";
import { type Choice, smallWorlds } from "./_small_worlds.ts";

const bounds: readonly (Omit<Choice, "seed"> & { transitions: number })[] = [
  { sets: 2, disconnects: 0, nack: false, transitions: 15_000 },
  { sets: 2, disconnects: 0, nack: true, transitions: 15_000 },
  { sets: 3, disconnects: 0, nack: false, transitions: 20_000 },
  { sets: 2, disconnects: 1, nack: false, transitions: 40_000 },
  { sets: 2, disconnects: 1, nack: true, transitions: 30_000 },
];

for (const { transitions, ...choice } of bounds) {
  const { sets, disconnects, nack } = choice;
  const title = `every interleaving of ${sets} sets, ${disconnects} ` +
    `disconnects, ${nack ? 1 : 0} NACKs`;
  Deno.test(title, () => {
    const explored: Explored = { states: 0, transitions: 0, ends: 0 };
    for (const world of smallWorlds({ ...choice, seed: 1 })) {
      if (explored.transitions > transitions) break;
      try {
        explore(world, explored);
      } catch (error) {
        if (!(error instanceof Counterexample)) throw error;
        throw new Error(`\n${error.conversation.join("\n")}`);
      }
    }
    assert(explored.states > 1_000 && explored.ends > 10);
  });
}
