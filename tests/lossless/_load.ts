/**
 * Sends requests at a constant rate and counts what came of them. A program of its own, so that it is not held up by
 * what it measures: `_load.ts <port> <requests a second>`; it stops when its input ends, and prints what it counted.
 */
import { Agent, request } from "node:http";

const [port, rate] = Deno.args.map(Number);
const agent = new Agent({ keepAlive: true, maxSockets: 32 });
const failures = new Map<string, number>();
/** When requests failed, in milliseconds since 1970, and why. */
const failed: [at: number, reason: string][] = [];
let sent = 0;
let answered = 0;

function fail(reason: string) {
  failed.push([Date.now(), reason]);
  failures.set(reason, (failures.get(reason) ?? 0) + 1);
}

function send(): Promise<void> {
  sent++;
  return new Promise((resolve) => {
    const call = request({ hostname: "127.0.0.1", port, agent, path: "/" });
    call.setTimeout(10_000, () => call.destroy(new Error("no answer in 10 s")));
    call.on("response", (response) => {
      let body = "";
      response.on("data", (chunk) => body += chunk);
      response.on("end", () => {
        if (response.statusCode === 200) answered++;
        else fail(`${response.statusCode} ${body}`);
        resolve();
      });
      response.on("error", (error) => {
        fail(error.message);
        resolve();
      });
    });
    call.on("error", (error) => {
      fail(error.message);
      resolve();
    });
    call.end();
  });
}

const start = performance.now();
const pending = new Set<Promise<void>>();
const timer = setInterval(() => {
  // As many as are due by now, should the timer be late.
  while (sent < (performance.now() - start) * rate / 1000) {
    const call = send();
    pending.add(call);
    call.then(() => pending.delete(call));
  }
}, 2);

for await (const _ of Deno.stdin.readable) {
  // Only its end matters.
}
clearInterval(timer);
await Promise.all(pending);
agent.destroy();
console.log(
  JSON.stringify({ sent, answered, failures: [...failures], failed }),
);
