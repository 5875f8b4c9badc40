/**
 * The server that hostile clients meet: ours with its defaults, which sends one client a change every 20 ms. It answers each
 * line of its input with its memory after a collection.
 */
import { create } from "@bufbuild/protobuf";
import { ClusterSchema } from "@xds/envoy/envoy/config/cluster/v3";
import { createSnapshot, serve, SnapshotCache } from "../../mod.ts";
import { usedBytes } from "../faults/_heap.ts";

const cache = new SnapshotCache();

function set(key: string, version: string, clusters: number) {
  const resources = Array.from(
    { length: clusters },
    (_, i) =>
      create(ClusterSchema, { name: `cluster-${i}`, altStatName: version }),
  );
  cache.set(key, createSnapshot({ version, resources }));
}

const server = await serve({
  cache,
  hostname: "127.0.0.1",
  port: 0,
  csds: true,
  rest: { port: 0 },
});
setInterval(() => {
  const now = performance.timeOrigin + performance.now();
  set("good", now.toFixed(3), 1);
}, 20);
set("evil", "1", 200);
console.log(server.addr.port);
console.log(server.restAddr!.port);
for await (const _ of Deno.stdin.readable) console.log(usedBytes());
