/**
 * `deno task example`: examples/server.ts with an Envoy beside it, and a request a second through both.
 *
 * @module
 */
import { requireEnvoy } from "./setup.ts";

const here = new URL("./", import.meta.url).pathname;

const server = new Deno.Command(Deno.execPath(), {
  args: ["run", "--allow-net", `${here}server.ts`],
}).spawn();
const envoy = new Deno.Command(await requireEnvoy(), {
  args: [
    "-c",
    `${here}envoy.yaml`,
    "--log-level",
    "error",
    "--use-dynamic-base-id",
  ],
  stdin: "null",
}).spawn();

function stop() {
  for (const child of [envoy, server]) {
    try {
      child.kill("SIGTERM");
    } catch {
      // It has ended already.
    }
  }
  Deno.exit();
}

Deno.addSignalListener("SIGINT", stop);
Deno.addSignalListener("SIGTERM", stop);
for (
  const [name, child] of [["the server", server], ["Envoy", envoy]] as const
) {
  child.status.then(({ code }) => {
    console.error(`${name} ended with code ${code}`);
    stop();
  });
}

setInterval(async () => {
  try {
    const response = await fetch("http://127.0.0.1:10000/", {
      signal: AbortSignal.timeout(1_000),
    });
    console.log(
      `request       ${response.status} ${(await response.text()).trim()}`,
    );
  } catch {
    console.log("request       no answer yet");
  }
}, 1_000);
