/**
 * Tries every interleaving of messages between a server and a model of an Envoy, in small worlds, and counts states:
 * `deno task explore --seconds 600 --seed 1 --sets 3 --disconnects 1 --nack`.
 */
import { parseArgs } from "node:util";
import { explore, type Explored } from "./_explorer.ts";
import { Counterexample } from "./_run.ts";
import { smallWorlds } from "./_small_worlds.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "600" },
    seed: { type: "string", default: "1" },
    sets: { type: "string", default: "3" },
    disconnects: { type: "string", default: "1" },
    nack: { type: "boolean", default: false },
    "keep-going": { type: "boolean", default: false },
  },
});
const end = performance.now() + Number(values.seconds) * 1000;
const explored: Explored = { states: 0, transitions: 0, ends: 0 };
let worlds = 0;
let failures = 0;
const choice = {
  seed: Number(values.seed),
  sets: Number(values.sets),
  disconnects: Number(values.disconnects),
  nack: values.nack,
};
for (const world of smallWorlds(choice)) {
  if (performance.now() > end) break;
  worlds++;
  try {
    explore(world, explored);
  } catch (error) {
    if (!(error instanceof Counterexample)) throw error;
    failures++;
    console.log(error.conversation.join("\n") + "\n");
    if (!values["keep-going"]) break;
  }
}
const { states, transitions, ends } = explored;
console.log(
  `${worlds} worlds, ${states} states, ${transitions} transitions, ${ends} ends, ${failures} failures`,
);
Deno.exit(failures > 0 ? 1 : 0);
