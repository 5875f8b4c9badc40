/**
 * A cache of one's own, and a type of one's own: `deno run --allow-net examples/custom.ts [port]`
 *
 * @module
 */
import {
  type Cache,
  createResource,
  RequestError,
  serve,
  View,
} from "@xds/control-plane";

const TYPE = "type.example.com/example.v1.Clock";

function now() {
  // Sent as they are: any encoding that the clients know.
  const bytes = new TextEncoder().encode(new Date().toISOString());
  const resource = createResource({ typeUrl: TYPE, name: "now", bytes });
  return new View(new Map([["now", resource]]));
}

/** Tells everybody the time. */
const cache: Cache = {
  watch({ typeUrl }, sink) {
    if (typeUrl !== TYPE) throw new RequestError("not_found", `no ${typeUrl}`);
    sink.changed(now());
    const timer = setInterval(() => sink.changed(now()), 1_000);
    return { [Symbol.dispose]: () => clearInterval(timer) };
  },
};
const port = Number(Deno.args[0] ?? 18_000);
const { addr } = await serve({ cache, hostname: "127.0.0.1", port });
console.log(`serving the time on ${addr.port}`);
