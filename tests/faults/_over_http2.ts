/**
 * Lets clients that do wrong on their connections go on beside an honest one, over a real server, and prints what came of
 * each in a line of JSON, as `_in_memory.ts` does.
 */
import { connections } from "./_connections.ts";
import { Observation } from "./_report.ts";
import { ServerScene } from "./_server_scene.ts";

/** How often a fault is before anything is measured: whatever is found out but once is then. */
const WARM_UP = 5;

const [rounds, ...names] = Deno.args;
// What is printed to a console stays with the inspector, which is what counts objects here.
console.error = () => {};
const scene = await ServerScene.start();
let streams = 1;
const faults = [];
for (const name of names) {
  const made = await connections[name](scene);
  streams += made.streams;
  const fault = {
    name,
    times: made.times,
    change: () => scene.change(),
    misbehave: () => made.misbehave(),
    rest: () => scene.rest(streams),
  };
  for (let i = 0; i < WARM_UP; i++) {
    await fault.misbehave();
    await fault.change();
  }
  faults.push(fault);
}
await scene.rest(streams);
const observation = await Observation.start();
for (const fault of faults) {
  const report = await observation.of(fault, Number(rounds));
  console.log(JSON.stringify(report));
}
Deno.exit();
