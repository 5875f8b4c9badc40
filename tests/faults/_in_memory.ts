/**
 * Lets the faults that it is told of go on beside honest clients, and prints what came of each in a line of JSON. A process
 * of its own, since the heap of one that runs tests is never at rest.
 */
import { cpuUsage } from "node:process";
import { answers } from "./_answers.ts";
import { others } from "./_others.ts";
import { type Fault, Observation } from "./_report.ts";
import { Scene } from "./_scene.ts";

/** How often a fault is before anything is measured: whatever is found out but once is then. */
const WARM_UP = 5;

// What is printed to a console stays with the inspector, which is what counts objects here.
console.error = () => {};
const scene = new Scene();

function faultOf(name: string): Fault {
  const make = { ...answers, ...others }[name];
  const all = (["sotw", "delta"] as const).map((protocol) =>
    make(scene, protocol)
  );
  return {
    name,
    times: all[0].times,
    change() {
      // Nothing is waited for here, and CPU time is what other processes have no part in.
      const start = cpuUsage();
      scene.change();
      const { user, system } = cpuUsage(start);
      return (user + system) / 1_000;
    },
    misbehave() {
      for (const misbehave of all) misbehave();
      // What came of it is there in the next turn.
      return new Promise((resolve) => setTimeout(resolve));
    },
  };
}

const [rounds, ...names] = Deno.args;
const faults = names.map(faultOf);
for (const fault of faults) {
  for (let i = 0; i < WARM_UP; i++) {
    await fault.misbehave();
    await fault.change();
  }
}
const observation = await Observation.start();
for (const fault of faults) {
  const report = await observation.of(fault, Number(rounds));
  console.log(JSON.stringify(report));
}
