/** Shows that what observers and telemetry are for costs those nothing who have none: none of it is called. */
import { assert, assertEquals } from "@std/assert";
import {
  createSnapshot,
  LinearCache,
  SnapshotCache,
  TypeUrl,
} from "../../mod.ts";
import { telemetry } from "../../lib/telemetry/mod.ts";
import { Calls } from "./_counts.ts";
import { InProcessServer } from "./_in_process.ts";
import { messages } from "./_resources.ts";

/** What there is in lib/ to tell of things. */
const parts = [
  "telemetry/",
  "cache/_following.ts",
  "cache/_observers.ts",
  "cache/_spread.ts",
  "server/_log",
  "server/_sent_times.ts",
  "server/_stalls.ts",
  "server/_tell.ts",
];

/** Connects a hundred clients, and sends each of them a change in both kinds of caches. */
function run(observer?: ReturnType<typeof telemetry>) {
  const typeUrl = TypeUrl.Cluster;
  const snapshots = new SnapshotCache({ observer });
  const linear = new LinearCache(typeUrl, { observer });
  observer?.count({ snapshots, linear });
  for (const cache of [snapshots, linear]) {
    const server = new InProcessServer(cache, { observer });
    const set = (revision: number) => {
      const resources = messages("Cluster", 0, 20, revision);
      if (cache === linear) linear.update({ set: resources });
      else snapshots.set("node", createSnapshot({ resources }));
    };
    set(1);
    const clients = Array.from({ length: 100 }, () => {
      const client = server.open("sotw");
      client.subscribe({ node: { id: "node" }, typeUrl });
      client.settle();
      return client;
    });
    set(2);
    for (const client of clients) {
      client.settle();
      client.leave();
    }
  }
}

Deno.test("without an observer nothing is done to tell of things", async () => {
  using calls = await Calls.start(parts);
  run();
  await calls.take();
  run();
  const called = await calls.take();
  for (const once of ["combined", "Stalls", "<instance_members_initializer>"]) {
    // When a server or a cache is made, and not for a client or a change.
    assert((called.get(once) ?? 0) <= 4, once);
    called.delete(once);
  }
  assertEquals([...called].filter(([, count]) => count > 0), []);
  using observer = telemetry();
  run(observer);
  const told = new Map(await calls.take());
  for (const name of ["request", "action", "close", "answer", "meterEvents"]) {
    assert(told.get(name)! > 0, `no function is called ${name} any more`);
  }
});
