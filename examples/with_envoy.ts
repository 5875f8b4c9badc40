/**
 * `deno task example`: examples/server.ts with an Envoy beside it, and a request a second through both.
 *
 * @module
 */
import { requireEnvoy } from "./setup.ts";

const here = `${import.meta.dirname}/`;

const envoyPath = await requireEnvoy().catch((error) => {
  console.error(error.message);
  Deno.exit(1);
});
const server = new Deno.Command(Deno.execPath(), {
  args: ["run", "--allow-net", `${here}server.ts`, "--envoy-is-started"],
}).spawn();
const envoy = new Deno.Command(envoyPath, {
  args: [
    "-c",
    `${here}envoy.yaml`,
    // What Envoy refuses, the server says in Envoy's words.
    "--log-level",
    "critical",
    "--use-dynamic-base-id",
  ],
  stdin: "null",
}).spawn();

function stop(code: number): never {
  for (const child of [envoy, server]) {
    try {
      child.kill("SIGTERM");
    } catch {
      // It has ended already.
    }
  }
  Deno.exit(code);
}

Deno.addSignalListener("SIGINT", () => stop(0));
Deno.addSignalListener("SIGTERM", () => stop(0));
for (
  const [name, child] of [["the server", server], ["Envoy", envoy]] as const
) {
  child.status.then(({ code, signal }) => {
    // Ctrl-C goes to all three: it is the others' end, too, and no failure.
    if (signal === "SIGINT" || signal === "SIGTERM") stop(0);
    console.error(`${name} ended with code ${code}`);
    stop(code || 1);
  });
}

let silence = "no answer yet";
setInterval(async () => {
  try {
    const response = await fetch("http://127.0.0.1:10000/", {
      signal: AbortSignal.timeout(1_000),
    });
    console.log(
      `request       ${response.status} ${(await response.text()).trim()}`,
    );
    silence = "no answer";
  } catch {
    console.log(`request       ${silence}`);
  }
}, 1_000);
