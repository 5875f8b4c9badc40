import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { telemetry } from "../../lib/telemetry/mod.ts";
import {
  type LimitName,
  type Limits,
  logObserver,
  type LogRecord,
  restHandler,
  serve,
  SnapshotCache,
  TypeUrl,
  xdsRoutes,
} from "../../mod.ts";
import { Metrics } from "../support/metrics.ts";
import { node, scene } from "./_scene.ts";

const RESOURCE_EXHAUSTED = 8;

/** As {@linkcode scene}, with a check, for the end, of which limits were told of, logged and counted. */
async function limited(limits: Limits, ...reached: [LimitName, number][]) {
  const metrics = new Metrics();
  const records: LogRecord[] = [];
  const at = await scene({
    limits,
    observer: [
      telemetry({ meterProvider: metrics.provider }),
      logObserver((record) => records.push(record), { level: "warn" }),
    ],
  });
  return {
    ...at,
    async [Symbol.asyncDispose]() {
      await at[Symbol.asyncDispose]();
      const told = at.events.filter((event) => event.kind === "limit");
      assertEquals(told.map(({ limit, value }) => [limit, value]), reached);
      for (const { peer, stream, message } of told) {
        assertEquals(peer.hostname, "127.0.0.1");
        assertEquals(stream?.peer, peer);
        assertEquals(message === "", false);
      }
      const logged = records.filter(({ event }) => event === "limit");
      assertEquals(
        logged.map(({ limit, value, error }) => [limit, value, error]),
        told.map(({ limit, value, message }) => [limit, value, message]),
      );
      const counted = await metrics.read("xds.server.limits");
      const total = new Map<string, number>();
      for (const [name] of reached) total.set(name, (total.get(name) ?? 0) + 1);
      assertEquals(
        new Map(
          counted.map(({ attributes, value }) => [
            attributes["xds.limit"],
            value,
          ]),
        ),
        total,
      );
      await metrics[Symbol.asyncDispose]();
    },
  };
}

Deno.test("a stream that asks for more names than it may says so to all", async () => {
  await using at = await limited({ names: 2 }, ["names", 2]);
  const stream = at.client.delta();
  stream.send({
    node,
    typeUrl: TypeUrl.Cluster,
    resourceNamesSubscribe: ["a", "b", "c"],
  });
  assertEquals((await stream.status).code, RESOURCE_EXHAUSTED);
});

Deno.test("a stream with a larger request than it may says so to all", async () => {
  await using at = await limited({ messageBytes: 200 }, ["messageBytes", 200]);
  const stream = at.client.sotw();
  stream.send({ node: { id: "x".repeat(300) }, typeUrl: TypeUrl.Cluster });
  assertEquals((await stream.status).code, RESOURCE_EXHAUSTED);
});

const invalid: [limits: Record<string, unknown>, message: string][] = [
  [
    { names: 0 },
    "limits.names is 0: it must be a whole number above 0, or Infinity for no limit",
  ],
  [
    { messageBytes: 1.5 },
    "limits.messageBytes is 1.5: it must be a whole number above 0, or Infinity for no limit",
  ],
  [
    { names: "many" },
    "limits.names is many: it must be a whole number above 0, or Infinity for no limit",
  ],
  [
    { names: NaN },
    "limits.names is NaN: it must be a whole number above 0, or Infinity for no limit",
  ],
];

for (const [wrong, message] of invalid) {
  Deno.test(`no limit: ${JSON.stringify(wrong)}`, async () => {
    const options = { cache: new SnapshotCache(), limits: wrong as Limits };
    await assertRejects(
      () => serve({ ...options, hostname: "127.0.0.1", port: 0 }),
      RangeError,
      message,
    );
    assertThrows(() => xdsRoutes(options), RangeError, message);
    assertThrows(() => restHandler(options), RangeError, message);
  });
}
