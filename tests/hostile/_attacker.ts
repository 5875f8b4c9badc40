/** Attacks a server until its input ends, and says then what it was told: `_attacker.ts NAME PORT [REST_PORT]`. */
import { attacks } from "./_attacks.ts";

const [name, port, restPort] = Deno.args;
const told = new Set<string>();
let isOver = false;
const end = async () => {
  for await (const _ of Deno.stdin.readable);
  isOver = true;
  // An attack may wait for what does not come.
  await new Promise((resolve) => setTimeout(resolve, 200));
  console.log(JSON.stringify([...told].sort()));
  Deno.exit();
};
end();
globalThis.addEventListener("unhandledrejection", (event) => {
  told.add(String(event.reason));
  event.preventDefault();
});
await attacks[name]({
  port: Number(port),
  restPort: restPort ? Number(restPort) : undefined,
  told,
  isOver: () => isOver,
}).catch((error) => told.add(error.message));
